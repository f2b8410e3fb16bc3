package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	apiyaml "k8s.io/apimachinery/pkg/util/yaml"
	addonsv1beta1 "sigs.k8s.io/cluster-api/api/addons/v1beta1"
	addonsv1 "sigs.k8s.io/cluster-api/api/addons/v1beta2"
	clusterv1beta1 "sigs.k8s.io/cluster-api/api/core/v1beta1"
	clusterv1 "sigs.k8s.io/cluster-api/api/core/v1beta2"
	"sigs.k8s.io/json"
	"sigs.k8s.io/yaml"
)

const owner = "fn.clusternet.io/owner"

// A stream is a render, decoded strictly into the types of those who read it.
type stream struct {
	sets       []addonsv1.ClusterResourceSet
	versions   []string // apiVersion of each set, as written
	clusters   []clusterv1.Cluster
	secrets    map[string]corev1.Secret    // by namespace/name
	configMaps map[string]corev1.ConfigMap // by namespace/name
}

func key(namespace, name string) string { return namespace + "/" + name }

func readStream(report *Report, text []byte) *stream {
	out := &stream{secrets: map[string]corev1.Secret{}, configMaps: map[string]corev1.ConfigMap{}}
	reader := apiyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(text)))
	for index := 0; ; index++ {
		document, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return out
		}
		where := fmt.Sprintf("document %d", index)
		if err != nil {
			report.fault("stream", where, "can't be read: %v", err)
			return out
		}
		out.add(report, where, document)
	}
}

func (s *stream) add(report *Report, where string, document []byte) {
	var raw map[string]any
	if err := yaml.UnmarshalStrict(document, &raw); err != nil {
		report.fault("stream", where, "is not strict YAML of one object")
		return
	}
	if len(raw) == 0 {
		return
	}
	if raw["kind"] == "ResourceList" {
		s.addItems(report, where, document, raw["items"])
		return
	}
	object := unstructured.Unstructured{Object: raw}
	title := object.GetKind() + " " + key(object.GetNamespace(), object.GetName())
	if object.GetAPIVersion() == "" || object.GetKind() == "" || object.GetName() == "" {
		report.fault(title, where, "lacks apiVersion, kind or name")
		return
	}
	if object.GetAnnotations()[owner] != "" {
		if reason := ambiguous(document); reason != "" {
			report.fault(title, where, "%s", reason)
		}
	}
	switch object.GetAPIVersion() + " " + object.GetKind() {
	case "addons.cluster.x-k8s.io/v1beta1 ClusterResourceSet":
		var old addonsv1beta1.ClusterResourceSet
		if strict(report, title, document, &old) {
			// The two versions have the same spec; nothing else is written by us.
			set := addonsv1.ClusterResourceSet{ObjectMeta: old.ObjectMeta}
			set.Spec.ClusterSelector = old.Spec.ClusterSelector
			set.Spec.Strategy = old.Spec.Strategy
			for _, one := range old.Spec.Resources {
				set.Spec.Resources = append(set.Spec.Resources, addonsv1.ResourceRef{Name: one.Name, Kind: one.Kind})
			}
			s.sets, s.versions = append(s.sets, set), append(s.versions, old.APIVersion)
		}
	case "addons.cluster.x-k8s.io/v1beta2 ClusterResourceSet":
		var set addonsv1.ClusterResourceSet
		if strict(report, title, document, &set) {
			s.sets, s.versions = append(s.sets, set), append(s.versions, set.APIVersion)
		}
	case "cluster.x-k8s.io/v1beta1 Cluster":
		var old clusterv1beta1.Cluster
		if strict(report, title, document, &old) {
			cluster := clusterv1.Cluster{ObjectMeta: old.ObjectMeta}
			cluster.Spec.Topology.ClassRef.Name = className(old.Spec.Topology)
			s.clusters = append(s.clusters, cluster)
		}
	case "cluster.x-k8s.io/v1beta2 Cluster":
		var cluster clusterv1.Cluster
		if strict(report, title, document, &cluster) {
			s.clusters = append(s.clusters, cluster)
		}
	case "v1 Secret":
		var secret corev1.Secret
		if strict(report, title, document, &secret) {
			s.secrets[key(secret.Namespace, secret.Name)] = secret
		}
	case "external-secrets.io/v1 ExternalSecret":
		if secret, ok := issue(report, title, object); ok {
			s.secrets[key(secret.Namespace, secret.Name)] = secret
		}
	case "v1 ConfigMap":
		var configMap corev1.ConfigMap
		if strict(report, title, document, &configMap) {
			s.configMaps[key(configMap.Namespace, configMap.Name)] = configMap
		}
	default:
		if strings.HasPrefix(object.GetAPIVersion(), "addons.cluster.x-k8s.io/") {
			report.fault(title, where, "is of no version that Cluster API serves: %s", object.GetAPIVersion())
		}
		other(report, title, object, document)
	}
}

// addItems reads the output of the function itself. Both readers have to agree on the whole of it.
func (s *stream) addItems(report *Report, where string, document []byte, items any) {
	if reason := ambiguous(document); reason != "" {
		report.fault("ResourceList", where, "%s", reason)
	}
	list, _ := items.([]any)
	for index, item := range list {
		text, err := yaml.Marshal(item)
		if err != nil {
			report.fault("ResourceList", where, "item %d can't be written again", index)
			continue
		}
		s.add(report, fmt.Sprintf("item %d", index), text)
	}
}

func className(topology *clusterv1beta1.Topology) string {
	if topology == nil {
		return ""
	}
	return topology.Class
}

// strict decodes a document as an API server does and refuses unknown and duplicate fields.
func strict(report *Report, title string, document []byte, into any) bool {
	// By way of JSON, since a YAML decoder that knows the target would turn a number into the string that it wants.
	text, err := yaml.YAMLToJSONStrict(document)
	var unknown []error
	if err == nil {
		unknown, err = json.UnmarshalStrict(text, into)
	}
	if err == nil {
		err = errors.Join(unknown...)
	}
	if err == nil {
		return true
	}
	message := err.Error()
	if strings.HasPrefix(title, "Secret ") {
		message = "(cause withheld: it is a Secret)"
	}
	report.fault(title, "", "does not decode strictly: %s", message)
	return false
}
