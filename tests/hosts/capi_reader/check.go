package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	addonsv1 "sigs.k8s.io/cluster-api/api/addons/v1beta2"
	clusterv1 "sigs.k8s.io/cluster-api/api/core/v1beta2"
	"sigs.k8s.io/cluster-api/core/webhooks/admission"
)

const maxBytes = 1 << 20

// SetReport is one ClusterResourceSet as Cluster API understands it.
type SetReport struct {
	APIVersion string   `json:"apiVersion"`
	Namespace  string   `json:"namespace"`
	Name       string   `json:"name"`
	Strategy   string   `json:"strategy"`
	Selector   string   `json:"selector"`
	Resources  []string `json:"resources"`
	Missing    []string `json:"missing,omitempty"`
	Creates    []string `json:"creates"`
	Selects    []string `json:"selects"`
}

func check(report *Report, s *stream, missingOK bool) {
	used := map[string]bool{}
	byNamespace := map[string][]manifest{}
	var reports []SetReport
	var created [][]manifest
	for index := range s.sets {
		set, objects := checkSet(report, s, index, used)
		if len(set.Missing) > 0 && !missingOK {
			report.fault(titleOf(set), "", "refers to what is not there: %s", strings.Join(set.Missing, ", "))
		}
		byNamespace[set.Namespace] = append(byNamespace[set.Namespace], objects...)
		reports, created = append(reports, set), append(created, objects)
	}
	for index, set := range reports {
		checkOrder(report, titleOf(set), created[index], byNamespace[set.Namespace], len(set.Missing) > 0)
	}
	for name, secret := range s.secrets {
		if secret.Annotations[owner] != "" && secret.Type == addonsv1.ClusterResourceSetSecretType && !used["Secret "+name] {
			report.fault("Secret "+name, "", "no ClusterResourceSet refers to it")
		}
	}
	for name, configMap := range s.configMaps {
		if configMap.Annotations[owner] != "" && !used["ConfigMap "+name] {
			report.fault("ConfigMap "+name, "", "no ClusterResourceSet refers to it")
		}
	}
	report.Sets = append(report.Sets, reports...)
}

func titleOf(set SetReport) string { return "ClusterResourceSet " + key(set.Namespace, set.Name) }

func checkSet(report *Report, s *stream, index int, used map[string]bool) (SetReport, []manifest) {
	set := s.sets[index]
	out := SetReport{
		APIVersion: s.versions[index], Namespace: set.Namespace, Name: set.Name, Strategy: set.Spec.Strategy,
		Resources: []string{}, Creates: []string{}, Selects: []string{},
	}
	title := titleOf(out)
	// Admission first, as on the server: it parses the selector and refuses an empty one.
	if _, err := (&admission.ClusterResourceSet{}).ValidateCreate(context.Background(), &set); err != nil {
		report.fault(title, "", "is refused by the webhook: %v", err)
	}
	if set.Spec.Strategy != "ApplyOnce" && set.Spec.Strategy != "Reconcile" {
		report.fault(title, "spec.strategy", "is %q", set.Spec.Strategy)
	}
	if count := len(set.Spec.Resources); count < 1 || count > 100 {
		report.fault(title, "spec.resources", "has %d entries, between 1 and 100 are allowed", count)
	}
	if !canonical(&set.Spec.ClusterSelector) {
		report.fault(title, "spec.clusterSelector", "is not in canonical order")
	}
	if selector, err := metav1.LabelSelectorAsSelector(&set.Spec.ClusterSelector); err == nil {
		out.Selector = selector.String()
		for _, cluster := range s.clusters {
			if cluster.Namespace == set.Namespace && selector.Matches(labels.Set(liveLabels(&cluster))) {
				out.Selects = append(out.Selects, cluster.Name)
			}
		}
		slices.Sort(out.Selects)
	}
	var objects []manifest
	for _, resource := range set.Spec.Resources {
		name := key(set.Namespace, resource.Name)
		entry := resource.Kind + " " + name
		out.Resources = append(out.Resources, resource.Kind+" "+resource.Name)
		if used[title+entry] {
			report.fault(title, "spec.resources", "names %s twice", entry)
		}
		used[entry], used[title+entry] = true, true
		values, ours, found := payload(report, s, resource.Kind, name)
		if !found {
			out.Missing = append(out.Missing, entry)
		}
		objects = append(objects, parse(report, entry, values, ours)...)
	}
	for _, object := range objects {
		out.Creates = append(out.Creates, object.title())
	}
	return out, objects
}

// liveLabels are a Cluster's labels with those that the topology controller sets on a server.
func liveLabels(cluster *clusterv1.Cluster) map[string]string {
	out := map[string]string{}
	for name, value := range cluster.Labels {
		out[name] = value
	}
	if cluster.Spec.Topology.ClassRef.Name != "" {
		out[clusterv1.ClusterNameLabel] = cluster.Name
		out[clusterv1.ClusterTopologyOwnedLabel] = ""
	}
	return out
}

func canonical(selector *metav1.LabelSelector) bool {
	order := []metav1.LabelSelectorOperator{"In", "NotIn", "Exists", "DoesNotExist"}
	rank := func(one metav1.LabelSelectorRequirement) string {
		return fmt.Sprintf("%s\x00%d\x00%s", one.Key, slices.Index(order, one.Operator), strings.Join(one.Values, "\x00"))
	}
	var ranks []string
	for _, one := range selector.MatchExpressions {
		if !slices.IsSorted(one.Values) {
			return false
		}
		ranks = append(ranks, rank(one))
	}
	return slices.IsSorted(ranks)
}

// payload returns the decoded values of a carrier by key, and whether it is one of ours.
func payload(report *Report, s *stream, kind, name string) (map[string][]byte, bool, bool) {
	values := map[string][]byte{}
	switch kind {
	case "Secret":
		secret, found := s.secrets[name]
		ours := secret.Annotations[owner] != ""
		if found && secret.Type != addonsv1.ClusterResourceSetSecretType {
			report.fault("Secret "+name, "type", "is %q; the controller refuses it", secret.Type)
		}
		if len(secret.StringData) > 0 && ours {
			report.fault("Secret "+name, "stringData", "is used; a key written through it is never removed")
		}
		for field, value := range secret.StringData {
			values[field] = []byte(value)
		}
		for field, value := range secret.Data {
			values[field] = value
		}
		return values, ours, found
	case "ConfigMap":
		configMap, found := s.configMaps[name]
		if len(configMap.BinaryData) > 0 {
			report.fault("ConfigMap "+name, "binaryData", "is not read by the controller")
		}
		for field, value := range configMap.Data {
			values[field] = []byte(value)
		}
		return values, configMap.Annotations[owner] != "", found
	default:
		report.fault("ClusterResourceSet", name, "refers to a %s; only Secrets and ConfigMaps are read", kind)
		return values, false, true
	}
}
