{{/* What every object's name begins with: tallyd for the release tallyd. */}}
{{- define "tallyd.name" -}}
{{- $chart := .Values.nameOverride | default .Chart.Name -}}
{{- $name := ternary .Release.Name (printf "%s-%s" .Release.Name $chart) (contains $chart .Release.Name) -}}
{{- .Values.fullnameOverride | default $name | trunc 48 | trimSuffix "-" -}}
{{- end }}

{{/* Of the pods; never changed, because a Deployment's selector cannot be. */}}
{{- define "tallyd.selector" -}}
app.kubernetes.io/name: {{ include "tallyd.name" . }}
{{- end }}

{{/* Of the router's pods. */}}
{{- define "tallyd.router" -}}
app.kubernetes.io/name: {{ include "tallyd.name" . }}-router
{{- end }}

{{- define "tallyd.common" -}}
app.kubernetes.io/part-of: tallyd
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- with .Values.additionalLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "tallyd.labels" -}}
{{ include "tallyd.selector" . }}
{{ include "tallyd.common" . }}
{{- end }}

{{/* metadata of an object: include "tallyd.metadata" (dict "root" $ "suffix" "-admin" "labels" (dict …) "annotations" (dict …)) */}}
{{- define "tallyd.metadata" -}}
name: {{ include "tallyd.name" .root }}{{ .suffix }}
namespace: {{ .root.Release.Namespace }}
labels: {{- mustMergeOverwrite (include "tallyd.labels" .root | fromYaml) (.labels | default dict) | toYaml | nindent 2 }}
{{- with .annotations }}
annotations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "tallyd.spread" -}}
maxSkew: 1
nodeTaintsPolicy: Honor
labelSelector:
  matchLabels: {{- include "tallyd.selector" . | nindent 4 }}
matchLabelKeys:
  - pod-template-hash
  - rollouts-pod-template-hash
{{- end }}

{{- define "tallyd.confined" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop:
    - ALL
{{- end }}

{{- define "tallyd.podSecurity" -}}
runAsNonRoot: true
runAsUser: 31870
runAsGroup: 31870
fsGroup: 31870
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- define "tallyd.image" -}}
{{- $image := .Values.image -}}
{{- if $image.digest -}}
{{ $image.repository }}@{{ $image.digest }}
{{- else if and $image.tag (eq $image.pullPolicy "Never") -}}
{{ $image.repository }}:{{ $image.tag }}
{{- else -}}
{{- fail "image.digest: a release is a digest, tags move (image.tag is for images that lie on the node, with pullPolicy Never)" -}}
{{- end -}}
{{- end }}

{{/* The service account that runs the pods. */}}
{{- define "tallyd.account" -}}
{{- if .Values.serviceAccount.create }}{{ .Values.serviceAccount.name | default (include "tallyd.name" .) }}
{{- else }}{{ .Values.serviceAccount.name | default "default" }}
{{- end }}
{{- end }}

{{/* The Secret with Redis's password; empty without one. */}}
{{- define "tallyd.secret" -}}
{{- if .Values.externalSecret.enabled }}{{ include "tallyd.name" . }}-redis
{{- else }}{{ .Values.existingSecret.name }}
{{- end }}
{{- end }}

{{- define "tallyd.secretKey" -}}
{{- ternary "password" .Values.existingSecret.key .Values.externalSecret.enabled -}}
{{- end }}

{{/* The files that options name, as JSON: [{"name", "option", "secret", "configMap", "key"}, …] */}}
{{- define "tallyd.files" -}}
{{- $options := dict "tokens" "TALLYD_TOKEN_FILE" "access" "TALLYD_ACCESS_FILE" "bots" "TALLYD_BOTS_FILE" "ca" "TALLYD_REDIS_CA" "certificate" "TALLYD_REDIS_CERT" "key" "TALLYD_REDIS_KEY" -}}
{{- $files := list -}}
{{- range $name, $file := .Values.files -}}
{{- if or $file.secret $file.configMap -}}
{{- $files = append $files (mustMerge (dict "name" $name "option" (get $options $name)) $file) -}}
{{- end -}}
{{- end -}}
{{- dict "files" $files | toJson -}}
{{- end }}

{{/* Variables of the container that other values make. */}}
{{- define "tallyd.env" -}}
{{- if include "tallyd.secret" . }}
- name: TALLYD_REDIS_PASSWORD_FILE
  value: /run/secrets/redis/{{ include "tallyd.secretKey" . }}
{{- end }}
{{- with .Values.adminHosts }}
- name: TALLYD_ADMIN_HOSTS
  value: {{ join "," . | quote }}
{{- end }}
{{- with .Values.iam }}
{{- if .enabled }}
- name: TALLYD_REDIS_AUTH
  value: iam
- name: TALLYD_REDIS_IAM_CLUSTER
  value: {{ .cluster | quote }}
- name: TALLYD_REDIS_IAM_REGION
  value: {{ .region | quote }}
{{- end }}
{{- end }}
{{- range (include "tallyd.files" . | fromJson).files }}
- name: {{ .option }}
  value: /etc/tallyd/{{ .name }}/{{ .key }}
{{- end }}
{{- with .Values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* How fast pods come and go, for KEDA and for a plain autoscaler. */}}
{{- define "tallyd.behavior" -}}
scaleUp:
  stabilizationWindowSeconds: 0
  selectPolicy: Max
  policies:
    - type: Percent
      value: 100
      periodSeconds: 30
    - type: Pods
      value: 6
      periodSeconds: 30
scaleDown:
  stabilizationWindowSeconds: 900
  selectPolicy: Min
  policies:
    - type: Percent
      value: 10
      periodSeconds: 120
    - type: Pods
      value: 2
      periodSeconds: 120
{{- end }}

{{/* What is scaled: the Deployment, or the Rollout that runs its pods. */}}
{{- define "tallyd.target" -}}
{{- if .Values.blueGreen.enabled }}
apiVersion: argoproj.io/v1alpha1
kind: Rollout
{{- else }}
apiVersion: apps/v1
kind: Deployment
{{- end }}
name: {{ include "tallyd.name" . }}
{{- end }}

{{/* Whether a scaler owns the number of pods: "true" or nothing. */}}
{{- define "tallyd.scaled" -}}
{{- if or .Values.scaling.enabled .Values.hpa.enabled }}true{{ end }}
{{- end }}

{{/* How a monitor scrapes. */}}
{{- define "tallyd.endpoint" -}}
port: admin
path: /metrics
interval: {{ .interval }}
scrapeTimeout: 10s
honorLabels: false
{{- with .relabelings }}
relabelings: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .metricRelabelings }}
metricRelabelings: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* Annotations of what `helm test` makes, in the order of its weight. */}}
{{- define "tallyd.hook" -}}
helm.sh/hook: test
helm.sh/hook-weight: {{ . | quote }}
helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
{{- end }}

{{/* Ways in for hits. Health checks ask the admin port, so that is open to the subnets of load balancers, in which nothing else lies, and
not to a whole network: pods lie in that. */}}
{{- define "tallyd.whoMayHit" }}
    {{- if .Values.network.balancers }}
    - ports:
        - protocol: TCP
          port: http
        - protocol: TCP
          port: admin
      from:
        {{- range .Values.network.balancers }}
        - ipBlock:
            cidr: {{ . }}
        {{- end }}
    {{- else }}
    {{- with .Values.network.cidr }}
    - ports:
        - protocol: TCP
          port: http
      from:
        - ipBlock:
            cidr: {{ . }}
    {{- end }}
    {{- end }}
    {{- with .Values.network.clients }}
    - ports:
        - protocol: TCP
          port: http
      from: {{- toYaml . | nindent 8 }}
    {{- end }}
{{- end }}
