{{- define "studio.labels" -}}
app.kubernetes.io/name: gptstudio
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{/* What tells one part's pods from another's: the root context and the part's name. */}}
{{- define "studio.selector" -}}
app.kubernetes.io/name: gptstudio
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .part }}
{{- end }}

{{- define "studio.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}

{{- define "studio.secret" -}}
{{ required "Set secretName to a Secret with SECRET_KEY, ENGINE_TOKEN, DATABASE_URL and REDIS_URL." .Values.secretName }}
{{- end }}

{{- define "studio.home" -}}
{{ .Values.home.existingClaim | default (printf "%s-home" .Release.Name) }}
{{- end }}

{{/* The engines' addresses, as ENGINE_URLS has them. */}}
{{- define "studio.engines" -}}
{{- $urls := list -}}
{{- range $number := until (int .Values.engine.replicas) -}}
{{- $urls = append $urls (printf "engine-%d=http://%s-engine-%d.%s-engine:8001" $number $.Release.Name $number $.Release.Name) -}}
{{- end -}}
{{- if .Values.vllm.enabled -}}
{{- $urls = append $urls (printf "vllm=http://%s-vllm:8000" .Release.Name) -}}
{{- end -}}
{{- if not $urls -}}
{{- fail "Nobody would answer: set engine.replicas to 1 or more, or vllm.enabled to true." -}}
{{- end -}}
{{- join "," $urls -}}
{{- end }}

{{- define "studio.pod" -}}
automountServiceAccountToken: false
{{- with .Values.imagePullSecrets }}
imagePullSecrets: {{ toJson . }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "studio.confined" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{/* Settings that all processes but engines share. A change of them makes new pods. */}}
{{- define "studio.env" -}}
envFrom:
  - configMapRef: {name: {{ .Release.Name }}-settings}
  - secretRef: {name: {{ include "studio.secret" . }}}
{{- end }}

{{- define "studio.mounts" -}}
volumeMounts:
  - {name: home, mountPath: /home/studio/home}
  - {name: tmp, mountPath: /tmp}
{{- end }}

{{- define "studio.volumes" -}}
- name: home
  persistentVolumeClaim: {claimName: {{ include "studio.home" . }}}
- name: tmp
  emptyDir: {}
{{- end }}

{{/* Where backups are written to and read from, for the parts that do. */}}
{{- define "studio.backupMount" -}}
{{- with .Values.backup.existingClaim }}
- {name: backups, mountPath: /backups}
{{- end }}
{{- end }}

{{- define "studio.backupVolume" -}}
{{- with .Values.backup.existingClaim }}
- name: backups
  persistentVolumeClaim: {claimName: {{ . }}}
{{- end }}
{{- end }}

{{/* What an engine sees of the home must be there before it is mounted; else it would be made for root. */}}
{{- define "studio.folders" -}}
initContainers:
  - name: folders
    image: {{ include "studio.image" . }}
    imagePullPolicy: {{ .Values.image.pullPolicy }}
    command: [mkdir, -p, /home/studio/home/artifacts, /home/studio/home/import, /home/studio/home/journal/$(POD_NAME)]
    env:
      - name: POD_NAME
        valueFrom: {fieldRef: {fieldPath: metadata.name}}
    volumeMounts: [{name: home, mountPath: /home/studio/home}]
    securityContext: {{- include "studio.confined" . | nindent 6 }}
    resources:
      requests: {cpu: 10m, memory: 16Mi}
      limits: {memory: 64Mi}
{{- end }}

{{/* Where a bucket has the files, a home of the pod's own. */}}
{{- define "studio.cache" -}}
{{- if .Values.storage.url -}}
- name: home
  emptyDir: {sizeLimit: {{ printf "%dMi" (mul (int .Values.storage.cacheGb) 1536) }}}
- name: tmp
  emptyDir: {}
{{- else -}}
{{- include "studio.volumes" . -}}
{{- end -}}
{{- end }}

{{- define "studio.place" -}}
{{- with .nodeSelector }}
nodeSelector: {{ toJson . }}
{{- end }}
{{- with .tolerations }}
tolerations: {{ toJson . }}
{{- end }}
{{- end }}
