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
