"""What users set: a name, and the values that differ from the defaults. Each must render, be accepted by the real
kube-apiserver without a warning, and have no field that its kind's authors do not know."""
SECRET = {"name": "redis-of-ours", "key": "pw"}
GATEWAY = [{"name": "public", "namespace": "gateways", "sectionName": "https"}]
CLIENTS = [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "ingress-nginx"}}}]
REDIS = {"TALLYD_REDIS": "rediss://tallyd@cluster.example:6380"}
CONFINED = {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}
OTHER = {"image": "registry.example/other@sha256:" + "b" * 64, "securityContext": CONFINED}

COMBINATIONS = {
    "nothing": {},
    "Redis without TLS": {"settings": {"TALLYD_REDIS": "redis://redis:6379", "TALLYD_REDIS_MODE": "standalone"}, "network": {"cidr": "10.0.0.0/16"}},
    "existing Secret": {"settings": REDIS, "existingSecret": SECRET, "network": {"cidr": "10.0.0.0/16"}},
    "External Secret": {"settings": REDIS, "externalSecret": {"enabled": True, "key": "prod/redis"}},
    "IAM by pod identity": {"settings": REDIS, "iam": {"enabled": True, "cluster": "c", "region": "eu-central-1"}, "network": {"cidr": "10.0.0.0/16"}},
    "IAM by the account's role": {"settings": REDIS, "network": {"cidr": "10.0.0.0/16"},
                                  "iam": {"enabled": True, "cluster": "c", "region": "eu-central-1", "roleArn": "arn:aws:iam::111122223333:role/tallyd"}},
    "token file": {"files": {"tokens": {"secret": "tokens"}}},
    "access and bots": {"files": {"access": {"configMap": "access", "key": "rules"}, "bots": {"configMap": "bots"}}},
    "authority and certificate": {"settings": REDIS, "files": {"ca": {"configMap": "ca"}, "certificate": {"secret": "tls"}, "key": {"secret": "tls"}}},
    "all files": {"files": {name: {"secret": name} for name in ("tokens", "access", "bots", "ca", "certificate", "key")}, "existingSecret": SECRET, "settings": REDIS},
    "admin hosts": {"adminHosts": ["tallyd-admin", "tallyd.internal.example"]},
    "five pods": {"replicas": 5, "maxSurge": 1},
    "no pod": {"replicas": 0},
    "KEDA": {"scaling": {"enabled": True, "min": 3, "max": 30, "fallback": 6}},
    "KEDA with floors": {"scaling": {"enabled": True, "windows": [{"type": "cron", "name": "sale", "metadata": {
        "timezone": "UTC", "start": "0 8 26 11 *", "end": "0 8 27 11 *", "desiredReplicas": "9"}}]}},
    "HPA": {"hpa": {"enabled": True, "min": 2, "max": 8, "cpuPercent": 50}},
    "HPA by requests": {"hpa": {"enabled": True, "metrics": [{"type": "Pods", "pods": {
        "metric": {"name": "tallyd_http_requests"}, "target": {"type": "AverageValue", "averageValue": "40k"}}}]}},
    "Ingress": {"ingress": {"enabled": True, "className": "nginx", "hosts": [{"host": "hits.example"}]}, "network": {"clients": CLIENTS}},
    "Ingress with TLS": {"ingress": {"enabled": True, "annotations": {"cert-manager.io/cluster-issuer": "le"}, "labels": {"tier": "edge"}, "tls": [{"secretName": "t", "hosts": ["hits.example"]}],
                                     "hosts": [{"host": "hits.example", "paths": [{"path": "/v1/hit", "pathType": "Prefix"}, {"path": "/v1/hits", "pathType": "Exact"}]}]},
                         "network": {"clients": CLIENTS}},
    "HTTPRoute": {"httpRoute": {"enabled": True, "parentRefs": GATEWAY, "hostnames": ["hits.example"]}, "network": {"clients": CLIENTS}},
    "HTTPRoute with filters": {"httpRoute": {"enabled": True, "parentRefs": GATEWAY, "matches": [{"path": {"type": "PathPrefix", "value": "/v1"}}], "filters": [
        {"type": "ResponseHeaderModifier", "responseHeaderModifier": {"set": [{"name": "X-Served-By", "value": "tallyd"}]}}]}, "network": {"cidr": "10.0.0.0/16"}},
    "LoadBalancer": {"service": {"type": "LoadBalancer", "port": 80, "externalTrafficPolicy": "Local", "loadBalancerClass": "service.k8s.aws/nlb",
                                 "loadBalancerSourceRanges": ["192.0.2.0/24"], "annotations": {"service.beta.kubernetes.io/aws-load-balancer-scheme": "internal"}}},
    "NodePort": {"service": {"type": "NodePort", "nodePort": 30080, "labels": {"exposed": "true"}}},
    "ServiceMonitor with a release": {"monitoring": {"serviceMonitor": True, "additionalLabels": {"release": "kube-prometheus-stack"}, "interval": "30s"}},
    "PodMonitor": {"monitoring": {"podMonitor": True, "relabelings": [{"sourceLabels": ["__meta_kubernetes_pod_node_name"], "targetLabel": "node"}],
                                  "metricRelabelings": [{"sourceLabels": ["__name__"], "regex": "tallyd_io_.*", "action": "drop"}]}},
    "rules and dashboards": {"monitoring": {"serviceMonitor": True, "rulesAndDashboards": True, "runbooks": "https://wiki/x", "grafana": "https://g", "dashboardLabels": {"grafana_dashboard": "yes"}, "dashboardAnnotations": {"k8s-sidecar-target-directory": "/tmp/dashboards/tallyd"}}},
    "collector": {"collector": {"enabled": True}},
    "no network policies": {"network": {"enabled": False}},
    "a shared namespace": {"network": {"defaultDeny": False, "extraEgress": [{"ports": [{"protocol": "TCP", "port": 443}], "to": [{"ipBlock": {"cidr": "10.1.0.0/16"}}]}],
                                       "extraIngress": [{"ports": [{"protocol": "TCP", "port": "http"}], "from": [{"podSelector": {"matchLabels": {"app": "shop"}}}]}]}},
    "another name": {"fullnameOverride": "hits", "additionalLabels": {"team": "web"}},
    "half another name": {"nameOverride": "counter"},
    "the account is there": {"serviceAccount": {"create": False, "name": "robot"}},
    "an account with annotations": {"serviceAccount": {"name": "robot", "annotations": {"eks.amazonaws.com/role-arn": "arn:aws:iam::111122223333:role/x"}}},
    "placed": {"nodeSelector": {"tallyd.io/pool": "hits"}, "tolerations": [{"key": "tallyd.io/pool", "operator": "Exists"}], "priorityClassName": "system-cluster-critical",
               "affinity": {"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 1, "podAffinityTerm": {"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": {"app": "loud"}}}}]}},
               "spreadOverZones": "ScheduleAnyway", "runtimeClassName": "gvisor"},
    "a spread of its own": {"topologySpreadConstraints": [{"maxSkew": 2, "topologyKey": "rack", "whenUnsatisfiable": "ScheduleAnyway", "labelSelector": {"matchLabels": {"app.kubernetes.io/name": "tallyd"}}}]},
    "names of hosts": {"dnsConfig": {"options": [{"name": "ndots", "value": "1"}]}, "hostAliases": [{"ip": "10.0.0.9", "hostnames": ["redis"]}]},
    "annotated": {"annotations": {"a": "b"}, "podAnnotations": {"c": "d"}, "podLabels": {"e": "f"}, "imagePullSecrets": [{"name": "registry"}]},
    "without our profile": {"seccompProfile": {"type": "RuntimeDefault", "localhostProfile": None}},
    "probes": {"probes": {"startup": {"failureThreshold": 300}, "readiness": {"periodSeconds": 1, "successThreshold": 2}}},
    "an image on the node": {"image": {"digest": "", "tag": "local", "pullPolicy": "Never"}},
    "more of everything": {"extraArgs": ["--log-level=debug"], "extraEnv": [{"name": "TALLYD_FILTER", "value": "prefetch"}], "extraEnvFrom": [{"secretRef": {"name": "more", "optional": True}}],
                           "extraVolumes": [{"name": "more", "emptyDir": {}}], "extraVolumeMounts": [{"name": "more", "mountPath": "/more"}],
                           "extraContainers": [{"name": "side", **OTHER}], "extraInitContainers": [{"name": "before", **OTHER}],
                           "extraObjects": [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "{{ .Release.Name }}-more"}, "data": {"version": "{{ .Chart.AppVersion }}"}}]},
    "blue-green": {"blueGreen": {"enabled": True, "previewArn": "arn:aws:elasticloadbalancing:x:1:targetgroup/g/1"}, "targetGroup": {"enabled": True, "arn": "arn:aws:elasticloadbalancing:x:1:targetgroup/b/1"},
                   "monitoring": {"serviceMonitor": True}, "scaling": {"enabled": True}},
    "blue-green without a scaler": {"blueGreen": {"enabled": True}, "replicas": 4},
    "a longer end": {"terminationGracePeriodSeconds": 400, "settings": {"TALLYD_DRAIN_TIMEOUT": "6m"}},
    "no budget, no test": {"podDisruptionBudget": {"enabled": False}, "tests": {"enabled": False}},
    "half may go": {"podDisruptionBudget": {"maxUnavailable": "50%"}},
}
