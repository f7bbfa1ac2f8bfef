{{- define "tallyd.labels" -}}
app.kubernetes.io/name: tallyd
app.kubernetes.io/part-of: tallyd
{{- end }}

{{- define "tallyd.spread" -}}
maxSkew: 1
nodeTaintsPolicy: Honor
labelSelector:
  matchLabels:
    app.kubernetes.io/name: tallyd
matchLabelKeys:
  - pod-template-hash
{{- end }}

{{- define "tallyd.confined" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop:
    - ALL
{{- end }}

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
{{- if ne ($settings.TALLYD_LISTEN | default "0.0.0.0:8080") "0.0.0.0:8080" }}
{{- fail "settings.TALLYD_LISTEN must be 0.0.0.0:8080, the port that the Service and the probes know" }}
{{- end }}
{{- if ne ($settings.TALLYD_ADMIN | default "") "0.0.0.0:9090" }}
{{- fail "settings.TALLYD_ADMIN must be 0.0.0.0:9090, the port that the probes ask" }}
{{- end }}
{{- end }}
