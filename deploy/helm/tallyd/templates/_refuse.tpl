{{/* A duration of tallyd's options, in whole seconds. */}}
{{- define "tallyd.seconds" -}}
{{- $number := regexFind "^[0-9]+" . | int -}}
{{- if hasSuffix "ms" . }}{{ ceil (divf $number 1000) | int }}
{{- else if hasSuffix "m" . }}{{ mul $number 60 }}
{{- else if hasSuffix "h" . }}{{ mul $number 3600 }}
{{- else }}{{ $number }}
{{- end }}
{{- end }}

{{/* What would start and then be killed or never be reached is refused while it is still a file. */}}
{{- define "tallyd.refuse" -}}
{{- include "tallyd.refuseEnd" . }}
{{- include "tallyd.refusePorts" . }}
{{- include "tallyd.refuseUnhealthy" . }}
{{- include "tallyd.refuseRedis" . }}
{{- include "tallyd.refuseTwoOwners" . }}
{{- include "tallyd.refuseRouting" . }}
{{- end }}

{{- define "tallyd.refuseEnd" -}}
{{- $settings := .Values.settings -}}
{{- $delay := include "tallyd.seconds" ($settings.TALLYD_DRAIN_DELAY | default "0s") | trim | int -}}
{{- $drain := include "tallyd.seconds" ($settings.TALLYD_DRAIN_TIMEOUT | default "25s") | trim | int -}}
{{- $need := add $drain 5 | int -}}
{{- if ge $delay $drain }}
{{- fail "settings.TALLYD_DRAIN_DELAY must be shorter than TALLYD_DRAIN_TIMEOUT, which covers it: tallyd would not start" }}
{{- end }}
{{- if lt (int .Values.terminationGracePeriodSeconds) $need }}
{{- fail (printf "terminationGracePeriodSeconds is %d, but the drain takes %d s: the pod would be killed before its last flush" (int .Values.terminationGracePeriodSeconds) $need) }}
{{- end }}
{{- end }}

{{- define "tallyd.refusePorts" -}}
{{- if ne (.Values.settings.TALLYD_LISTEN | default "0.0.0.0:8080") "0.0.0.0:8080" }}
{{- fail "settings.TALLYD_LISTEN must be 0.0.0.0:8080, the port that the Service and the probes know" }}
{{- end }}
{{- if ne (.Values.settings.TALLYD_ADMIN | default "") "0.0.0.0:9090" }}
{{- fail "settings.TALLYD_ADMIN must be 0.0.0.0:9090, the port that the probes ask" }}
{{- end }}
{{- if eq (int .Values.service.port) 9090 }}
{{- fail "service.port 9090 is the admin port's, which is never published" }}
{{- end }}
{{- if and (or .Values.ingress.enabled .Values.httpRoute.enabled) .Values.network.enabled (not .Values.network.cidr) (not .Values.network.balancers) (not .Values.network.clients) }}
{{- fail "network.clients is empty: the pods of the Ingress or Gateway could not reach tallyd" }}
{{- end }}
{{- end }}

{{- define "tallyd.refuseUnhealthy" -}}
{{- if and .Values.targetGroup.enabled .Values.network.enabled (not .Values.network.balancers) }}
{{- fail "network.balancers is empty: the load balancer could not ask the pods for their health, and none would ever be ready" }}
{{- end }}
{{- end }}

{{- define "tallyd.refuseRedis" -}}
{{- $ways := list -}}
{{- if .Values.externalSecret.enabled }}{{ $ways = append $ways "externalSecret" }}{{ end }}
{{- if .Values.existingSecret.name }}{{ $ways = append $ways "existingSecret" }}{{ end }}
{{- if .Values.iam.enabled }}{{ $ways = append $ways "iam" }}{{ end }}
{{- if gt (len $ways) 1 }}
{{- fail (printf "%s: one way to prove who tallyd is to Redis, not several" (join " and " $ways)) }}
{{- end }}
{{- if .Values.iam.enabled }}
{{- if or (not .Values.iam.cluster) (not .Values.iam.region) }}
{{- fail "iam.cluster and iam.region are signed into every log-in: both are needed" }}
{{- end }}
{{- if not (hasPrefix "rediss://" (.Values.settings.TALLYD_REDIS | default "")) }}
{{- fail "settings.TALLYD_REDIS must be rediss://USER@…: IAM's tokens go over TLS only" }}
{{- end }}
{{- end }}
{{- range $name, $file := .Values.files }}
{{- if and $file.secret $file.configMap }}
{{- fail (printf "files.%s lies in a Secret or in a ConfigMap, not in both" $name) }}
{{- end }}
{{- end }}
{{- end }}

{{- define "tallyd.refuseTwoOwners" -}}
{{- if and .Values.scaling.enabled .Values.hpa.enabled }}
{{- fail "scaling (KEDA) and hpa would both own the number of pods" }}
{{- end }}
{{- if and .Values.monitoring.serviceMonitor .Values.monitoring.podMonitor }}
{{- fail "monitoring.serviceMonitor and podMonitor would count every pod twice" }}
{{- end }}
{{- if and .Values.collector.enabled (or .Values.monitoring.serviceMonitor .Values.monitoring.podMonitor) }}
{{- fail "collector and a monitor would count every pod twice" }}
{{- end }}
{{- range list .Values.scaling .Values.hpa }}
{{- if and .enabled (gt (int .min) (int .max)) }}
{{- fail (printf "the least number of pods, %d, is more than the most, %d" (int .min) (int .max)) }}
{{- end }}
{{- end }}
{{- end }}

{{- define "tallyd.refuseRouting" -}}
{{- if .Values.routing.enabled }}
{{- if .Values.blueGreen.enabled }}
{{- fail "routing knows one set of pods: it would send hits to blue and green alike" }}
{{- end }}
{{- if not .Values.settings.TALLYD_TRUSTED_PROXIES }}
{{- fail "settings.TALLYD_TRUSTED_PROXIES: without the routers' network all clients share one limit" }}
{{- end }}
{{- end }}
{{- end }}
