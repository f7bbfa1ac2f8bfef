{{/* A sidecar that scrapes its own pod: it starts first and stops last, so the last figures get out. */}}
{{- define "tallyd.collector" -}}
- name: collector
  image: {{ .Values.collector.image }}@{{ .Values.collector.digest }}
  restartPolicy: Always
  args:
    - --config=/etc/otelcol/collector.yaml
  env:
    - name: POD_NAME
      valueFrom:
        fieldRef:
          fieldPath: metadata.name
    - name: POD_NAMESPACE
      valueFrom:
        fieldRef:
          fieldPath: metadata.namespace
  ports:
    - name: collector-ok
      containerPort: 13133
      protocol: TCP
  startupProbe:
    httpGet:
      path: /
      port: collector-ok
    periodSeconds: 1
    failureThreshold: 30
  resources:
    requests:
      cpu: 100m
      memory: 128Mi
    limits:
      cpu: 100m
      memory: 128Mi
  securityContext: {{- include "tallyd.confined" . | nindent 4 }}
  volumeMounts:
    - name: collector
      mountPath: /etc/otelcol
      readOnly: true
{{- end }}
