package main

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/kubernetes/scheme"
	utilresource "sigs.k8s.io/cluster-api/util/resource"
	utilyaml "sigs.k8s.io/cluster-api/util/yaml"
	"sigs.k8s.io/yaml"
)

const minBytes = 32

var decoder = serializer.NewCodecFactory(scheme.Scheme, serializer.EnableStrict).UniversalDeserializer()

// Kinds without a namespace, of those that a payload of ours or of a user's extra resource is likely to hold.
var clusterScoped = []string{
	"Namespace", "ClusterRole", "ClusterRoleBinding", "CustomResourceDefinition", "PriorityClass", "StorageClass",
	"PersistentVolume", "APIService", "ValidatingWebhookConfiguration", "MutatingWebhookConfiguration",
}

// A manifest is one object of a payload, in the order in which the controller will create it.
type manifest struct {
	unstructured.Unstructured
	typed runtime.Object // nil for a kind that Kubernetes itself does not know
}

func (m *manifest) title() string {
	if m.GetNamespace() == "" {
		return m.GetKind() + " " + m.GetName()
	}
	return m.GetKind() + " " + key(m.GetNamespace(), m.GetName())
}

// parse reads the values of one carrier as the controller does: keys in lexicographic order, objects sorted within a value.
func parse(report *Report, carrier string, values map[string][]byte, ours bool) []manifest {
	var keys []string
	size := 0
	for name, value := range values {
		keys = append(keys, name)
		size += len(value)
	}
	slices.Sort(keys)
	if size > maxBytes {
		report.fault(carrier, "", "holds %d bytes, more than a server takes", size)
	}
	var out []manifest
	for _, name := range keys {
		out = append(out, parseValue(report, carrier, name, values[name], ours)...)
	}
	return out
}

func parseValue(report *Report, carrier, name string, value []byte, ours bool) []manifest {
	if len(value) < minBytes {
		report.fault(carrier, name, "is %d bytes long; under %d the controller fails the whole resource", len(value), minBytes)
		return nil
	}
	if bytes.HasPrefix(bytes.TrimSpace(value), []byte("[")) {
		report.fault(carrier, name, "is a list")
		return nil
	}
	objects, err := utilyaml.ToUnstructured(value)
	if err != nil {
		report.fault(carrier, name, "can't be parsed by the controller") // the cause would quote the value
		return nil
	}
	if len(objects) == 0 {
		report.fault(carrier, name, "holds no object to the controller, without an error")
	}
	if ours {
		if reason := unquoted(value); reason != "" {
			report.fault(carrier, name, "%s", reason)
		}
		if !bytes.HasPrefix(value, []byte("---\n")) {
			report.fault(carrier, name, "does not begin with a document separator")
		}
		if count := bytes.Count(append([]byte("\n"), value...), []byte("\n---\n")); count != len(objects) {
			report.fault(carrier, name, "has %d separators and %d objects", count, len(objects))
		}
	}
	for index, document := range documents(value) {
		var raw any
		if err := yaml.UnmarshalStrict(document, &raw); err != nil {
			report.fault(carrier, name, "document %d is not strict YAML (two objects without a separator?)", index)
		} else if reason := ambiguous(document); reason != "" {
			report.fault(carrier, name, "document %d %s", index, reason)
		}
	}
	var out []manifest
	for _, object := range utilresource.SortForCreate(objects) {
		one := manifest{Unstructured: object}
		checkManifest(report, carrier+" "+name, &one)
		out = append(out, one)
	}
	return out
}

func documents(value []byte) [][]byte {
	var out [][]byte
	for _, part := range bytes.Split(append([]byte("\n"), value...), []byte("\n---\n")) {
		if len(bytes.TrimSpace(part)) > 0 {
			out = append(out, part)
		}
	}
	return out
}

func checkManifest(report *Report, where string, m *manifest) {
	if m.GetAPIVersion() == "" || m.GetKind() == "" || (m.GetName() == "" && m.GetGenerateName() == "") {
		report.fault(m.title(), where, "lacks apiVersion, kind or name")
		return
	}
	if strings.HasSuffix(m.GetKind(), "List") {
		report.fault(m.title(), where, "is a List, which the controller does not expand")
	}
	if m.GetGenerateName() != "" {
		report.fault(m.title(), where, "has generateName: it would be created again and again")
	}
	known := scheme.Scheme.Recognizes(m.GroupVersionKind())
	namespaced := !slices.Contains(clusterScoped, m.GetKind())
	if known && namespaced != (m.GetNamespace() != "") {
		report.fault(m.title(), where, "has namespace %q; nothing defaults it", m.GetNamespace())
	}
	if !known {
		return
	}
	text, err := m.MarshalJSON()
	if err != nil {
		report.fault(m.title(), where, "can't be written as JSON")
		return
	}
	typed, _, err := decoder.Decode(text, nil, nil)
	if err != nil {
		message := err.Error()
		if m.GetKind() == "Secret" {
			message = "(cause withheld: it is a Secret)"
		}
		report.fault(m.title(), where, "does not decode strictly into its Kubernetes type: %s", message)
		return
	}
	m.typed = typed
}

// checkOrder holds the order of creation against what each object needs.
func checkOrder(report *Report, set string, objects, everywhere []manifest, missing bool) {
	position := map[string]int{}
	for index := range objects {
		title := objects[index].title()
		if _, twice := position[title]; twice {
			report.fault(set, title, "is created twice")
		}
		position[title] = index
	}
	elsewhere := map[string]bool{}
	for index := range everywhere {
		elsewhere[everywhere[index].title()] = true
	}
	for index := range objects {
		for _, need := range needs(&objects[index]) {
			at, here := position[need]
			switch {
			case here && at > index:
				report.fault(set, objects[index].title(), "is created before %s, which it needs", need)
			case !here && !elsewhere[need] && !(missing && strings.HasPrefix(need, "Secret ")):
				report.fault(set, objects[index].title(), "needs %s, which nothing creates", need)
			}
		}
	}
}

func in(namespace, kind, name string) string { return fmt.Sprintf("%s %s", kind, key(namespace, name)) }
