"""The kubelet's own judgement, by the program in tests/kubelet: strict decoding, defaults and validation of Kubernetes 1.34."""
import json
import subprocess

import stack

JUDGE = stack.BUILD / "kubelet" / "kubelet-validate"

# What nodeadm writes before it merges the NodeConfig's kubelet.config over it, as far as validation looks at it (AL2023, Kubernetes 1.34).
NODEADM = {
    "apiVersion": "kubelet.config.k8s.io/v1beta1",
    "kind": "KubeletConfiguration",
    "address": "0.0.0.0",
    "authentication": {"anonymous": {"enabled": False}, "webhook": {"enabled": True, "cacheTTL": "2m0s"}, "x509": {"clientCAFile": "/etc/kubernetes/pki/ca.crt"}},
    "authorization": {"mode": "Webhook", "webhook": {"cacheAuthorizedTTL": "5m0s", "cacheUnauthorizedTTL": "30s"}},
    "cgroupDriver": "systemd",
    "cgroupRoot": "/",
    "clusterDNS": ["172.20.0.10"],
    "clusterDomain": "cluster.local",
    "containerRuntimeEndpoint": "unix:///run/containerd/containerd.sock",
    "featureGates": {"RotateKubeletServerCertificate": True},
    "hairpinMode": "hairpin-veth",
    "kubeReserved": {"cpu": "70m", "ephemeral-storage": "1Gi", "memory": "574Mi"},
    "kubeReservedCgroup": "/runtime",
    "logging": {"verbosity": 2},
    "maxPods": 29,
    "protectKernelDefaults": True,
    "readOnlyPort": 0,
    "serializeImagePulls": False,
    "serverTLSBootstrap": True,
    "systemReservedCgroup": "/system",
    "tlsCipherSuites": ["TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"],
}


def merged(over, under):
    """As a drop-in file is merged: objects member by member, everything else is replaced."""
    if not isinstance(over, dict) or not isinstance(under, dict):
        return over
    return {k: merged(over[k], under[k]) if k in over and k in under else over.get(k, under.get(k)) for k in {**under, **over}}


def configuration(node_config):
    """The kubelet's whole configuration for a NodeConfig (YAML)."""
    import yaml
    document = yaml.safe_load(node_config)
    assert document["apiVersion"] == "node.eks.aws/v1alpha1" and document["kind"] == "NodeConfig", document
    return merged(document["spec"].get("kubelet", {}).get("config", {}), NODEADM)


def refuses(node_config):
    """What the kubelet says against a NodeConfig, or None."""
    p = subprocess.run([JUDGE], input=json.dumps(configuration(node_config)), text=True, capture_output=True, timeout=60)
    return None if p.returncode == 0 else " ".join(p.stderr.split())[-600:]
