{{/* Labels of every object. Takes (list $ component). */}}
{{- define "berth.labels" -}}
{{- $root := index . 0 -}}
helm.sh/chart: {{ $root.Chart.Name }}-{{ $root.Chart.Version | replace "+" "_" }}
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
{{ include "berth.selector" . }}
{{- end }}

{{/* What selects a component's pods. Takes (list $ component). */}}
{{- define "berth.selector" -}}
app.kubernetes.io/name: berth
app.kubernetes.io/instance: {{ (index . 0).Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end }}

{{- define "berth.image" -}}
{{- with .Values.image -}}
{{ .repository }}{{ if .digest }}@{{ .digest }}{{ else }}:{{ .tag | default $.Chart.AppVersion }}{{ end }}
{{- end -}}
{{- end }}

{{/*
The version of kube-scheduler, as v1.36.3: the cluster's without what vendors append (-gke.1, -eks-abc, +k3s1), or the value.
https://kubernetes.io/releases/version-skew-policy/: kube-scheduler must not be newer than the API servers it talks to, and may be
one minor older.
*/}}
{{- define "berth.schedulerVersion" -}}
{{- $cluster := regexFind "^v?[0-9]+\\.[0-9]+\\.[0-9]+" .Capabilities.KubeVersion.Version | trimPrefix "v" -}}
{{- $wanted := .Values.scheduler.version | trimPrefix "v" | default $cluster -}}
{{- $served := semver $cluster -}}
{{- $asked := semver $wanted -}}
{{- if or (gt $asked.Major $served.Major) (gt $asked.Minor $served.Minor) -}}
{{- fail (printf "scheduler.version %s is newer than the cluster, %s: Kubernetes allows no kube-scheduler newer than its API server (https://kubernetes.io/releases/version-skew-policy/). Leave scheduler.version empty: then it follows the cluster." $wanted $cluster) -}}
{{- end -}}
{{- if gt (sub $served.Minor $asked.Minor) 1 -}}
{{- fail (printf "scheduler.version %s is more than one minor older than the cluster, %s: Kubernetes allows one (https://kubernetes.io/releases/version-skew-policy/). Leave scheduler.version empty: then it follows the cluster." $wanted $cluster) -}}
{{- end -}}
v{{ $wanted }}
{{- end }}

{{/* As berth_extender.kube_scheduler.configuration() builds it; a test compares them. */}}
{{- define "berth.schedulerConfiguration" -}}
apiVersion: kubescheduler.config.k8s.io/v1
kind: KubeSchedulerConfiguration
clientConnection:
  qps: 1000
  burst: 2000
leaderElection:
  leaderElect: true
  resourceLock: leases
  resourceName: berth-scheduler
  resourceNamespace: {{ .Release.Namespace }}
percentageOfNodesToScore: 100  # a plan's target must be among the nodes offered
podMaxBackoffSeconds: 2
profiles:
- schedulerName: berth
extenders:
- urlPrefix: http://127.0.0.1:9555
  filterVerb: filter
  prioritizeVerb: prioritize
  preemptVerb: preempt
  weight: 121
  httpTimeout: 1s
  nodeCacheCapable: true
  ignorable: true
{{- end }}

{{- define "berth.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "berth.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{/* What all pods have. Takes (dict "root" $ "component" c "values" v). */}}
{{- define "berth.pod" -}}
securityContext:
  {{- include "berth.podSecurity" .root | nindent 2 }}
{{- with .root.Values.priorityClass.name }}
priorityClassName: {{ quote . }}
{{- end }}
{{- with .root.Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
# one topology alone: a node that lacks the label of any of them (zones, where there are none) would be scored by none
topologySpreadConstraints:
- maxSkew: 1
  topologyKey: kubernetes.io/hostname
  whenUnsatisfiable: ScheduleAnyway
  matchLabelKeys: [pod-template-hash]  # the pods that a rollout replaces do not count
  labelSelector:
    matchLabels:
      {{- include "berth.selector" (list $.root $.component) | nindent 6 }}
affinity:
  podAntiAffinity:
    preferredDuringSchedulingIgnoredDuringExecution:
    - weight: 100
      podAffinityTerm:
        topologyKey: topology.kubernetes.io/zone
        labelSelector:
          matchLabels:
            {{- include "berth.selector" (list $.root $.component) | nindent 12 }}
{{- end }}

{{/* Of a container of our image: takes (list $ port). */}}
{{- define "berth.container" -}}
{{- $root := index . 0 -}}
image: {{ include "berth.image" $root | quote }}
imagePullPolicy: {{ $root.Values.image.pullPolicy }}
securityContext:
  {{- include "berth.containerSecurity" $root | nindent 2 }}
terminationMessagePolicy: FallbackToLogsOnError
startupProbe:
  httpGet: {path: /healthz, port: {{ index . 1 }}}
  periodSeconds: 2
  failureThreshold: 60
livenessProbe:
  httpGet: {path: /healthz, port: {{ index . 1 }}}
  periodSeconds: 10
  timeoutSeconds: 5
readinessProbe:
  httpGet: {path: /readyz, port: {{ index . 1 }}}
  periodSeconds: 5
  timeoutSeconds: 5
{{- end }}

{{- define "berth.environment" -}}
- {name: HOME, value: /tmp}
- {name: PYTHONDONTWRITEBYTECODE, value: "1"}
- name: POD_NAME
  valueFrom: {fieldRef: {fieldPath: metadata.name}}
- name: POD_UID
  valueFrom: {fieldRef: {fieldPath: metadata.uid}}
- name: POD_NAMESPACE
  valueFrom: {fieldRef: {fieldPath: metadata.namespace}}
{{- end }}

{{/* What every component asks: names and the API server. */}}
{{- define "berth.egressToApiServer" }}
- ports:  # names; the resolver may be a pod, or an address of the node
  - {port: 53, protocol: UDP}
  - {port: 53, protocol: TCP}
- ports:  # the API server
  {{- range .Values.networkPolicies.apiServerPorts }}
  - {port: {{ . }}, protocol: TCP}
  {{- end }}
{{- end }}
