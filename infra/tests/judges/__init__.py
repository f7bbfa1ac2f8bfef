"""Judges that others wrote, each asked about what an environment really plans: IAM's grammar, IAM's verdicts, AWS's own service models, the kubelet."""
