{{/* SPDX-License-Identifier: Apache-2.0 */}}

{{/* The pod template of both the Deployment and the StatefulSet. */}}
{{- define "swin2sr.pod" -}}
metadata:
  labels:
    {{- include "swin2sr.labels" . | nindent 4 }}
  annotations:
    checksum/config: {{ include (print $.Template.BasePath "/configmap.yaml") . | sha256sum | trunc 32 }}
    prometheus.io/scrape: "true"
    prometheus.io/port: "9090"
spec:
  automountServiceAccountToken: false
  enableServiceLinks: false
  terminationGracePeriodSeconds: {{ include "swin2sr.graceSeconds" . }}
  {{- with .Values.imagePullSecrets }}
  imagePullSecrets:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  securityContext:
    runAsNonRoot: true
    runAsUser: 65532
    runAsGroup: 65532
    fsGroup: 65532
    fsGroupChangePolicy: OnRootMismatch
    {{- with .Values.gpu.groups }}
    supplementalGroups:
      {{- toYaml . | nindent 6 }}
    {{- end }}
    seccompProfile:
      type: RuntimeDefault
  topologySpreadConstraints:
    - maxSkew: 1
      topologyKey: kubernetes.io/hostname
      whenUnsatisfiable: ScheduleAnyway
      labelSelector:
        matchLabels:
          {{- include "swin2sr.selector" . | nindent 10 }}
  containers:
    - name: swin2sr
      image: {{ include "swin2sr.image" . | quote }}
      imagePullPolicy: {{ .Values.image.pullPolicy }}
      securityContext:
        allowPrivilegeEscalation: false
        readOnlyRootFilesystem: true
        capabilities:
          drop: [ALL]
      env:
        - name: SWIN2SR_CONFIG
          value: /etc/swin2sr/server.ini
        - name: SWIN2SR_METRICS_LISTEN
          value: 0.0.0.0:9090
        {{- if .Values.gpu.vendor }}
        - name: SWIN2SR_DEVICE # the image sets it too, and the environment counts more than the file
          value: {{ get .Values.settings "device" | default "auto" | quote }}
        {{- end }}
        {{- if .Values.cluster.enabled }}
        - name: SWIN2SR_DATA
          value: /data
        - name: SWIN2SR_CLUSTER
          value: {{ .Values.cluster.store | default "folder:/jobs" | quote }}
        {{- if .Values.cluster.storeSecret }}
        - name: SWIN2SR_S3_CREDENTIALS # read again when the Secret changes
          value: /etc/swin2sr-store/credentials
        {{- end }}
        {{- with include "swin2sr.natsSecret" . }}
        - name: SWIN2SR_NATS
          valueFrom:
            secretKeyRef:
              name: {{ . }}
              key: url
        {{- end }}
        {{- else if .Values.persistence.enabled }}
        - name: SWIN2SR_DATA # not /app: engines put volumes of their own on the folders that the image declares
          value: /data
        - name: SWIN2SR_NODE # the number of the replica, with which the ids of its jobs begin
          valueFrom:
            fieldRef:
              fieldPath: metadata.labels['apps.kubernetes.io/pod-index']
        {{- else }}
        - name: SWIN2SR_DATA # empty, also where the image sets it: nothing is kept
          value: ""
        {{- end }}
        {{- if .Values.keys.enabled }}
        - name: SWIN2SR_KEYS
          value: /etc/swin2sr-keys/keys
        {{- end }}
      ports:
        - name: http
          containerPort: 8080
        - name: metrics
          containerPort: 9090
      startupProbe: # it listens once it has read the records of its jobs
        httpGet:
          path: /healthz
          port: http
        periodSeconds: 2
        failureThreshold: 60
      livenessProbe:
        httpGet:
          path: /healthz
          port: http
        periodSeconds: 10
        timeoutSeconds: 5
      readinessProbe:
        httpGet:
          path: /readyz
          port: http
        periodSeconds: 5
        timeoutSeconds: 5
      lifecycle:
        preStop: # requests still come until the endpoint is gone; then SIGTERM begins the drain of the service
          exec:
            command: [sleep, {{ include "swin2sr.leaveSeconds" . | quote }}]
      resources:
        {{- include "swin2sr.resources" . | nindent 8 }}
      volumeMounts:
        - name: config
          mountPath: /etc/swin2sr
          readOnly: true
        {{- if .Values.keys.enabled }}
        - name: keys
          mountPath: /etc/swin2sr-keys
          readOnly: true
        {{- end }}
        {{- if .Values.cluster.storeSecret }}
        - name: store
          mountPath: /etc/swin2sr-store
          readOnly: true
        {{- end }}
        {{- if .Values.cluster.claim }}
        - name: jobs
          mountPath: /jobs
        {{- end }}
        {{- if or .Values.persistence.enabled .Values.cluster.enabled }}
        - name: data
          mountPath: /data
        {{- else }}
        - name: spool
          mountPath: /tmp
        {{- end }}
  volumes:
    - name: config
      configMap:
        name: {{ include "swin2sr.name" . }}
    {{- if .Values.keys.enabled }}
    - name: keys
      secret:
        secretName: {{ include "swin2sr.keysSecret" . }}
        items:
          - key: keys
            path: keys
    {{- end }}
    {{- with .Values.cluster.storeSecret }}
    - name: store
      secret:
        secretName: {{ . }}
        items:
          - key: credentials
            path: credentials
    {{- end }}
    {{- with .Values.cluster.claim }}
    - name: jobs
      persistentVolumeClaim:
        claimName: {{ . }}
    {{- end }}
    {{- if .Values.cluster.enabled }}
    - name: data
      emptyDir:
        sizeLimit: {{ .Values.cluster.scratch }}
    {{- else if not .Values.persistence.enabled }}
    - name: spool
      emptyDir: {}
    {{- end }}
{{- end -}}
