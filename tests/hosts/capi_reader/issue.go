package main

import (
	"encoding/base64"
	"strings"
	"text/template"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Stands for what External Secrets Operator would fetch: blanks around it, and hostile to plain YAML.
const fetched = " 123456.1e30000000000000\n"

// What External Secrets' engine v2 (text/template with sprig) does with the two functions that we use.
var functions = template.FuncMap{
	"trim":   strings.TrimSpace,
	"b64enc": func(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) },
}

// issue makes the Secret that External Secrets Operator would make of an ExternalSecret.
func issue(report *Report, title string, object unstructured.Unstructured) (corev1.Secret, bool) {
	text := func(path ...string) string {
		found, _, _ := unstructured.NestedString(object.Object, append([]string{"spec", "target"}, path...)...)
		return found
	}
	wanted := [][]string{
		{"Owner", "creationPolicy"}, {"Retain", "deletionPolicy"},
		{"v2", "template", "engineVersion"}, {"Replace", "template", "mergePolicy"},
	}
	for _, one := range wanted {
		if text(one[1:]...) != one[0] {
			report.fault(title, "spec.target."+strings.Join(one[1:], "."), "is not %s", one[0])
		}
	}
	var secret corev1.Secret
	secret.Namespace, secret.Name = object.GetNamespace(), text("name")
	secret.Type = corev1.SecretType(text("template", "type"))
	secret.Labels, _, _ = unstructured.NestedStringMap(object.Object, "spec", "target", "template", "metadata", "labels")
	secret.Data = map[string][]byte{}
	values := map[string]string{}
	entries, _, _ := unstructured.NestedSlice(object.Object, "spec", "data")
	for _, entry := range entries {
		fields, _ := entry.(map[string]any)
		name, _, _ := unstructured.NestedString(fields, "secretKey")
		values[name] = fetched
	}
	templates, _, _ := unstructured.NestedStringMap(object.Object, "spec", "target", "template", "data")
	for name, source := range templates {
		parsed, err := template.New(name).Funcs(functions).Option("missingkey=error").Parse(source)
		var out strings.Builder
		if err == nil {
			err = parsed.Execute(&out, values)
		}
		if err != nil {
			report.fault(title, name, "the template fails: %v", err)
			return secret, false
		}
		secret.Data[name] = []byte(out.String())
	}
	return secret, true
}
