{{/* SPDX-License-Identifier: Apache-2.0 */}}

{{/* The name of every object: that of the release, with the chart's name if that is not part of it. */}}
{{- define "swin2sr.name" -}}
{{- $name := .Release.Name -}}
{{- if not (contains .Chart.Name $name) }}{{ $name = printf "%s-%s" $name .Chart.Name }}{{ end -}}
{{- $name | trunc 50 | trimSuffix "-" -}}
{{- end -}}

{{- define "swin2sr.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "swin2sr.labels" -}}
{{ include "swin2sr.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "swin2sr.image" -}}
{{- $suffix := dict "nvidia" "-nvidia" "amd" "-mesa" "intel" "-mesa" "" "" -}}
{{ .Values.image.repository }}:{{ default (printf "%s%s" .Chart.AppVersion (get $suffix .Values.gpu.vendor)) .Values.image.tag }}
{{- end -}}

{{- define "swin2sr.keysSecret" -}}
{{ default (printf "%s-keys" (include "swin2sr.name" .)) .Values.keys.existingSecret }}
{{- end -}}

{{/* A shell removes the backslash of nvidia\.com/gpu where it is not quoted. Helm then reads a map "nvidia" with an entry
     "com/gpu", which is taken as what was meant; the notes say so. */}}
{{- define "swin2sr.resources" -}}
{{- $resources := deepCopy .Values.resources -}}
{{- with ($resources.limits).nvidia -}}
{{- $_ := set $resources.limits "nvidia.com/gpu" (index . "com/gpu") -}}
{{- $_ := unset $resources.limits "nvidia" -}}
{{- end -}}
{{- $names := dict "nvidia" "nvidia.com/gpu" "amd" "amd.com/gpu" "intel" "gpu.intel.com/i915" -}}
{{- with get $names .Values.gpu.vendor -}}
{{- $limits := merge (deepCopy (default dict $resources.limits)) (dict . 1) -}}
{{- $_ := set $resources "limits" $limits -}}
{{- end -}}
{{ toYaml $resources }}
{{- end -}}

{{/* Seconds that the service may take to finish its work: before SIGTERM, its own drain, and some to answer. */}}
{{- define "swin2sr.leaveSeconds" -}}5{{- end -}}
{{- define "swin2sr.graceSeconds" -}}
{{- $drain := get .Values.settings "drain-s" | default 30 | int -}}
{{- $delay := get .Values.settings "drain-delay-s" | default 0 | int -}}
{{ add $drain $delay (include "swin2sr.leaveSeconds" .) 15 }}
{{- end -}}

{{/* What the schema of the values cannot say in words. */}}
{{- define "swin2sr.check" -}}
{{- $cluster := .Values.cluster -}}
{{- if $cluster.enabled -}}
{{- if eq (empty $cluster.store) (empty $cluster.claim) -}}
{{- fail "cluster.enabled: needs cluster.store with cluster.storeSecret, or cluster.claim, and not both" -}}
{{- end -}}
{{- if and $cluster.store (not $cluster.storeSecret) -}}
{{- fail "cluster.store: needs cluster.storeSecret, a Secret with an entry credentials" -}}
{{- end -}}
{{- if .Values.persistence.enabled -}}
{{- fail "cluster.enabled and persistence.enabled: choose one; the jobs of a cluster are in its store" -}}
{{- end -}}
{{- end -}}
{{- if .Values.keda.enabled -}}
{{- if not $cluster.enabled -}}
{{- fail "keda.enabled: needs cluster.enabled, where other replicas do the jobs of one that is removed" -}}
{{- end -}}
{{- if .Values.autoscaling.enabled -}}
{{- fail "keda.enabled and autoscaling.enabled: choose one" -}}
{{- end -}}
{{- if not .Values.keda.prometheus -}}
{{- fail "keda.enabled: needs keda.prometheus, an address such as http://prometheus-server.monitoring" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "swin2sr.hasNats" -}}
{{- if and .Values.cluster.enabled .Values.cluster.nats.enabled }}yes{{ end -}}
{{- end -}}

{{/* The Secret whose entry "url" is the value of --nats; empty: there is no queue. */}}
{{- define "swin2sr.natsSecret" -}}
{{- if include "swin2sr.hasNats" . -}}
{{ include "swin2sr.name" . }}-nats
{{- else if .Values.cluster.enabled -}}
{{ .Values.cluster.nats.urlSecret }}
{{- end -}}
{{- end -}}

{{/* The servers of NATS have a name of their own, so that the Service of the chart does not find them. */}}
{{- define "swin2sr.natsSelector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}-nats
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}
