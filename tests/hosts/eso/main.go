// Program eso does to an ExternalSecret what the External Secrets Operator does with its target, using the operator's
// own types and its own template engine: JSON in, the Secret that results on stdout.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"

	esapi "github.com/external-secrets/external-secrets/apis/externalsecrets/v1"
	template "github.com/external-secrets/external-secrets/pkg/template/v2"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"
)

// input is what the test sends: the ExternalSecret, and what the store answers for each secretKey.
type input struct {
	ExternalSecret json.RawMessage   `json:"externalSecret"`
	Store          map[string]string `json:"store"`
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	raw, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	var in input
	if err := json.Unmarshal(raw, &in); err != nil {
		return err
	}
	var es esapi.ExternalSecret
	if err := yaml.UnmarshalStrict(in.ExternalSecret, &es); err != nil {
		return err
	}
	target := es.Spec.Target
	if target.Template == nil || target.Template.MergePolicy != esapi.MergePolicyReplace {
		return fmt.Errorf("the target would hold the bare values of the store")
	}
	data := map[string][]byte{}
	for _, one := range es.Spec.Data {
		data[one.SecretKey] = []byte(in.Store[one.RemoteRef.Key])
	}
	secret := &corev1.Secret{Type: target.Template.Type}
	secret.Name, secret.Namespace = target.Name, es.Namespace
	secret.Labels, secret.Annotations, secret.Data = map[string]string{}, map[string]string{}, map[string][]byte{}
	for _, part := range []struct {
		values map[string]string
		target esapi.TemplateTarget
	}{
		{target.Template.Metadata.Labels, esapi.TemplateTargetLabels},
		{target.Template.Metadata.Annotations, esapi.TemplateTargetAnnotations},
		{target.Template.Data, esapi.TemplateTargetData},
	} {
		texts := map[string][]byte{}
		for key, value := range part.values {
			texts[key] = []byte(value)
		}
		if err := template.Execute(texts, data, esapi.TemplateScopeValues, part.target, secret); err != nil {
			return err
		}
	}
	return json.NewEncoder(os.Stdout).Encode(secret)
}
