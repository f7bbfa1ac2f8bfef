"""Faults on purpose: (rule that must notice, overlay, what is broken, how). The faults of DEPLOY.md's seeds are among them."""
from conftest import container, get

FAULTS = []


def fault(rule, overlay, what):
    def register(function):
        FAULTS.append((rule, overlay, what, function))
        return function
    return register


def pod(objects):
    return get(objects, "Deployment")["spec"]["template"]["spec"]


def settings(objects):
    return next(o for o in objects if o["kind"] == "ConfigMap" and "TALLYD_LISTEN" in o["data"])["data"]


def simple(rule, overlay, what, change):
    fault(rule, overlay, what)(change)


simple("probes_never_count", "prod", "a probe on a counting path", lambda o: container(o)["readinessProbe"]["httpGet"].update(path="/v1/hit/health/probe", port="http"))
simple("probes_never_count", "prod", "liveness by /readyz", lambda o: container(o)["livenessProbe"]["httpGet"].update(path="/readyz"))
simple("probes_never_count", "prod", "no readiness probe", lambda o: container(o).pop("readinessProbe"))
simple("grace_covers_the_drain", "prod", "the default grace period", lambda o: pod(o).pop("terminationGracePeriodSeconds"))
simple("grace_covers_the_drain", "prod", "a longer drain than grace", lambda o: settings(o).update(TALLYD_DRAIN_TIMEOUT="200s"))
simple("grace_covers_the_drain", "prod", "a delay that leaves no time to flush", lambda o: settings(o).update(TALLYD_DRAIN_DELAY="150s"))
simple("grace_covers_the_drain", "prod", "shorter than a balancer that forgets late", lambda o: settings(o).update(TALLYD_DRAIN_DELAY="35s"))
simple("grace_covers_the_drain", "prod", "a preStop before SIGTERM", lambda o: container(o).update(lifecycle={"preStop": {"sleep": {"seconds": 15}}}))
simple("state_lies_in_memory_that_is_counted", "prod", "state on the node's disk", lambda o: pod(o)["volumes"][0]["emptyDir"].pop("medium"))
simple("state_lies_in_memory_that_is_counted", "prod", "state without a bound", lambda o: pod(o)["volumes"][0]["emptyDir"].pop("sizeLimit"))
simple("state_lies_in_memory_that_is_counted", "prod", "state not in the memory limit", lambda o: container(o)["resources"]["limits"].update(memory="1Gi"))
simple("state_lies_in_memory_that_is_counted", "prod", "more keys than the volume holds", lambda o: settings(o).update(TALLYD_MAX_KEYS="4194304"))
simple("state_lies_in_memory_that_is_counted", "prod", "buffers that the memory limit does not hold", lambda o: settings(o).update(TALLYD_MAX_BUFFER_BYTES="2048m"))
simple("state_lies_in_memory_that_is_counted", "prod", "another folder", lambda o: settings(o).update(TALLYD_STATE_DIR="/var/lib/tallyd"))
simple("cores_are_whole_and_pods_guaranteed", "prod", "a core and a half", lambda o: [container(o)["resources"][k].update(cpu="1500m") for k in ("requests", "limits")])
simple("cores_are_whole_and_pods_guaranteed", "prod", "burstable", lambda o: container(o)["resources"]["requests"].update(cpu="1"))
simple("cores_are_whole_and_pods_guaranteed", "dev+collector", "a sidecar without limits", lambda o: container(o, "collector").pop("resources"))
simple("seccomp_profile_is_ours", "prod", "the runtime's profile, without io_uring", lambda o: container(o)["securityContext"].pop("seccompProfile"))
simple("seccomp_profile_is_ours", "prod", "another file", lambda o: container(o)["securityContext"]["seccompProfile"].update(localhostProfile="tallyd.json"))
simple("containers_are_confined", "prod", "a writable root", lambda o: container(o)["securityContext"].update(readOnlyRootFilesystem=False))
simple("containers_are_confined", "prod", "all capabilities kept", lambda o: container(o)["securityContext"].pop("capabilities"))
simple("containers_are_confined", "prod", "a capability added", lambda o: container(o)["securityContext"]["capabilities"].update(add=["SYS_ADMIN"]))
simple("containers_are_confined", "prod", "privileged", lambda o: container(o)["securityContext"].update(privileged=True))
simple("containers_are_confined", "prod", "root", lambda o: pod(o)["securityContext"].update(runAsNonRoot=False))
simple("containers_are_confined", "prod", "the user of every distroless image", lambda o: pod(o)["securityContext"].update(runAsUser=65532))
simple("containers_are_confined", "prod", "the host's network", lambda o: pod(o).update(hostNetwork=True))
simple("containers_are_confined", "prod", "an unsafe sysctl", lambda o: pod(o)["securityContext"].update(sysctls=[{"name": "net.core.somaxconn", "value": "65535"}]))
simple("containers_are_confined", "local", "Valkey with privileges", lambda o: get(o, "Deployment", "valkey")["spec"]["template"]["spec"]["containers"][0]["securityContext"].update(allowPrivilegeEscalation=True))
simple("no_token_and_no_service_links", "prod", "a token in the pod", lambda o: pod(o).pop("automountServiceAccountToken"))
simple("no_token_and_no_service_links", "prod", "service links", lambda o: pod(o).pop("enableServiceLinks"))
simple("no_token_and_no_service_links", "prod", "a token by the account", lambda o: get(o, "ServiceAccount").update(automountServiceAccountToken=True))
simple("pods_spread_over_zones_and_hosts", "prod", "zones only preferred", lambda o: pod(o)["topologySpreadConstraints"][0].update(whenUnsatisfiable="ScheduleAnyway"))
simple("pods_spread_over_zones_and_hosts", "prod", "no spread", lambda o: pod(o).pop("topologySpreadConstraints"))
simple("pods_spread_over_zones_and_hosts", "prod", "other pods counted", lambda o: pod(o)["topologySpreadConstraints"][1].update(labelSelector={"matchLabels": {"app": "other"}}))
simple("rollout_and_drain_lose_nothing", "dev", "the default strategy", lambda o: get(o, "Deployment")["spec"].pop("strategy"))
simple("rollout_and_drain_lose_nothing", "dev", "one pod may be missing", lambda o: get(o, "Deployment")["spec"]["strategy"]["rollingUpdate"].update(maxUnavailable=1))
simple("rollout_and_drain_lose_nothing", "prod", "no budget", lambda o: o.remove(get(o, "PodDisruptionBudget")))
simple("rollout_and_drain_lose_nothing", "prod", "a budget that never lets a node go", lambda o: get(o, "PodDisruptionBudget")["spec"].update(maxUnavailable=0))
simple("rollout_and_drain_lose_nothing", "prod", "blue gone too early", lambda o: get(o, "Rollout")["spec"]["strategy"]["blueGreen"].update(scaleDownDelaySeconds=30))
simple("images_are_digests", "prod", ":latest", lambda o: container(o).update(image="tallyd:latest"))
simple("images_are_digests", "prod", "a tag", lambda o: container(o).update(image="tallyd:1.2.3"))
simple("images_are_digests", "dev+collector", "a sidecar by tag", lambda o: container(o, "collector").update(image="otel/opentelemetry-collector-contrib:0.158.0"))
simple("images_are_digests", "prod", "the developer's image", lambda o: container(o).update(image="tallyd:local", imagePullPolicy="Never"))
simple("everything_is_in_one_namespace", "prod", "a Service elsewhere", lambda o: get(o, "Service")["metadata"].update(namespace="default"))
simple("everything_is_in_one_namespace", "prod", "Pod Security off", lambda o: get(o, "Namespace")["metadata"]["labels"].pop("pod-security.kubernetes.io/enforce"))
simple("everything_is_in_one_namespace", "prod", "no readiness gate", lambda o: get(o, "Namespace")["metadata"]["labels"].pop("elbv2.k8s.aws/pod-readiness-gate-inject"))
simple("services_meet_their_pods", "prod", "targetPort is not the container's", lambda o: get(o, "Service")["spec"]["ports"][0].update(targetPort=80))
simple("services_meet_their_pods", "prod", "a selector that meets nothing", lambda o: get(o, "Service")["spec"]["selector"].update(app="tally"))
simple("services_meet_their_pods", "prod", "a binding to another port", lambda o: get(o, "TargetGroupBinding")["spec"]["serviceRef"].update(port=80))
simple("services_meet_their_pods", "prod", "a monitor of nothing", lambda o: get(o, "ServiceMonitor")["spec"]["selector"].update(matchLabels={"app": "x"}))
simple("services_meet_their_pods", "prod", "a budget for nothing", lambda o: get(o, "PodDisruptionBudget")["spec"]["selector"]["matchLabels"].update(app="x"))
simple("ports_are_the_options", "prod", "listens elsewhere", lambda o: settings(o).update(TALLYD_LISTEN="0.0.0.0:80"))
simple("ports_are_the_options", "prod", "the admin port on loopback", lambda o: settings(o).update(TALLYD_ADMIN="127.0.0.1:9090"))
simple("admin_port_is_not_published", "prod", "a LoadBalancer", lambda o: get(o, "Service")["spec"].update(type="LoadBalancer"))
simple("admin_port_is_not_published", "prod", "metrics beside the hits", lambda o: get(o, "Service")["spec"]["ports"].append({"name": "admin", "port": 9090, "targetPort": "admin"}))
simple("admin_port_is_not_published", "prod", "the balancer on the admin Service", lambda o: get(o, "TargetGroupBinding")["spec"]["serviceRef"].update(name="tallyd-admin", port=9090))
simple("promotion_moves_weight_between_two_target_groups", "prod", "one target group for both", lambda o: get(o, "TargetGroupBinding", "tallyd-preview")["spec"].update(targetGroupARN=get(o, "TargetGroupBinding")["spec"]["targetGroupARN"]))
simple("promotion_moves_weight_between_two_target_groups", "prod", "promotion by itself", lambda o: get(o, "Rollout")["spec"]["strategy"]["blueGreen"].pop("autoPromotionEnabled"))
simple("promotion_moves_weight_between_two_target_groups", "dev", "no ARN set", lambda o: get(o, "TargetGroupBinding")["spec"].update(targetGroupARN="unset"))
simple("analysis_judges_the_new_pods_alone", "prod", "the old pods' sins", lambda o: get(o, "AnalysisTemplate")["spec"]["metrics"][0]["provider"]["prometheus"].update(query='sum(tallyd_ready{job="tallyd"})'))
simple("analysis_judges_the_new_pods_alone", "prod", "a hash that nobody gives", lambda o: get(o, "Rollout")["spec"]["strategy"]["blueGreen"]["prePromotionAnalysis"].pop("args"))
simple("everything_asks_one_prometheus", "prod", "another Prometheus", lambda o: get(o, "ScaledObject")["spec"]["triggers"][0]["metadata"].update(serverAddress="http://prometheus:9090"))
simple("everything_asks_one_prometheus", "dev+collector", "counted twice", lambda o: o.append({"kind": "ServiceMonitor", "metadata": {"name": "x", "namespace": "tallyd"}}))
simple("everything_asks_one_prometheus", "prod", "read by nobody", lambda o: o.remove(get(o, "ServiceMonitor")))
simple("everything_asks_one_prometheus", "prod", "all namespaces' requests", lambda o: get(o, "ScaledObject")["spec"]["triggers"][0]["metadata"].update(query='sum(rate(tallyd_http_requests_total{job="tallyd"}[1m]))'))
simple("pods_spread_over_zones_and_hosts", "prod", "old and new pods of a Rollout counted as one", lambda o: pod(o)["topologySpreadConstraints"][0]["matchLabelKeys"].remove("rollouts-pod-template-hash"))
simple("network_is_closed", "prod", "open to the world", lambda o: get(o, "NetworkPolicy")["spec"]["ingress"][1]["from"][0]["ipBlock"].update(cidr="0.0.0.0/0"))
simple("network_is_closed", "prod", "no default", lambda o: o.remove(get(o, "NetworkPolicy", "default-deny")))
simple("network_is_closed", "prod", "egress to everything", lambda o: get(o, "NetworkPolicy")["spec"]["egress"].append({}))
simple("network_is_closed", "prod", "egress to HTTPS", lambda o: get(o, "NetworkPolicy")["spec"]["egress"][1]["ports"].append({"protocol": "TCP", "port": 443}))
simple("redis_is_authenticated_and_encrypted", "prod", "TLS off", lambda o: settings(o).update(TALLYD_REDIS="redis://tallyd@host:6379"))
simple("redis_is_authenticated_and_encrypted", "prod", "nobody's user, as with open-access", lambda o: settings(o).update(TALLYD_REDIS="rediss://host:6379"))
simple("redis_is_authenticated_and_encrypted", "prod", "a password in the URL", lambda o: settings(o).update(TALLYD_REDIS="rediss://tallyd:secret@host:6379"))
simple("redis_is_authenticated_and_encrypted", "prod", "TLS verification off", lambda o: settings(o).update(TALLYD_REDIS_TLS_VERIFY="no"))
simple("redis_is_authenticated_and_encrypted", "prod", "no password file", lambda o: container(o).pop("env"))
simple("redis_is_authenticated_and_encrypted", "prod", "a file that nothing fills", lambda o: o.remove(get(o, "ExternalSecret")))
simple("redis_is_authenticated_and_encrypted", "prod", "a password that never changes", lambda o: container(o)["volumeMounts"][0 if container(o)["volumeMounts"][0]["name"] == "redis" else 1].update(subPath="password"))
simple("nothing_secret_is_written_down", "prod", "a Secret with data", lambda o: o.append({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "x", "namespace": "tallyd"}, "stringData": {"a": "b"}}))
simple("nothing_secret_is_written_down", "prod", "a token in the settings", lambda o: settings(o).update(TALLYD_PREFIX="ghp" + "_" + "a1" * 18))
simple("settings_are_options_of_tallyd", "prod", "a misspelt option", lambda o: settings(o).update(TALLYD_FLUSH_INTERVALL="1s"))
simple("settings_are_options_of_tallyd", "prod", "a ConfigMap that is not there", lambda o: container(o)["envFrom"][0]["configMapRef"].update(name="tallyd-settings"))
simple("one_owner_of_the_replicas", "dev", "replicas beside KEDA", lambda o: get(o, "Deployment")["spec"].update(replicas=3))
simple("one_owner_of_the_replicas", "prod", "a live Deployment scaled to nothing at once", lambda o: get(o, "Deployment")["spec"].update(replicas=0))
simple("one_owner_of_the_replicas", "prod", "a Deployment that runs beside its Rollout", lambda o: get(o, "Rollout")["spec"]["workloadRef"].pop("scaleDown"))
simple("one_owner_of_the_replicas", "prod", "KEDA scales the Deployment", lambda o: get(o, "ScaledObject")["spec"]["scaleTargetRef"].update(kind="Deployment", apiVersion="apps/v1"))
simple("rollout_waits_for_its_autoscaler", "prod", "healthy with its first pod", lambda o: get(o, "Rollout")["spec"].update(minReadySeconds=10))
simple("scaling_is_sane", "prod", "one pod", lambda o: get(o, "ScaledObject")["spec"].update(minReplicaCount=1))
simple("scaling_is_sane", "prod", "no fallback", lambda o: get(o, "ScaledObject")["spec"].pop("fallback"))
simple("scaling_is_sane", "prod", "an event above the maximum", lambda o: get(o, "ScaledObject")["spec"].update(maxReplicaCount=20))
simple("scaling_is_sane", "prod", "no requests", lambda o: get(o, "ScaledObject")["spec"]["triggers"].pop(0))
simple("scaling_is_sane", "prod", "down at once", lambda o: get(o, "ScaledObject")["spec"]["advanced"]["horizontalPodAutoscalerConfig"]["behavior"]["scaleDown"].update(stabilizationWindowSeconds=0))
simple("scaling_is_sane", "prod", "KEDA forgotten", lambda o: o.remove(get(o, "ScaledObject")))
simple("no_schedule_fires_every_minute", "prod", "a backup every minute", lambda o: o.append({"kind": "CronJob", "metadata": {"name": "b", "namespace": "tallyd"}, "spec": {"schedule": "* * * * *"}}))
simple("no_schedule_fires_every_minute", "prod", "a floor every hour", lambda o: get(o, "ScaledObject")["spec"]["triggers"][2]["metadata"].update(start="0 * 26 11 *"))
