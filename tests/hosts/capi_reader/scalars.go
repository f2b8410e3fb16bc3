package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"regexp"

	yaml3 "go.yaml.in/yaml/v3"
	"sigs.k8s.io/yaml"
)

// What may stand without quotes in a payload: every YAML reader agrees on these.
var plain = regexp.MustCompile(`^(true|false|null|0|-?[1-9][0-9]*|-?(0|[1-9][0-9]*)\.[0-9]+(e[-+][0-9]+)?)$`)

// unquoted names the first scalar of a YAML text that is neither in double quotes nor beyond doubt. Keys count.
func unquoted(text []byte) string {
	decoder := yaml3.NewDecoder(bytes.NewReader(text))
	for {
		var node yaml3.Node
		if err := decoder.Decode(&node); err != nil {
			if errors.Is(err, io.EOF) {
				return ""
			}
			return "is not YAML to a second reader"
		}
		if reason := unquotedNode(&node); reason != "" {
			return reason
		}
	}
}

func unquotedNode(node *yaml3.Node) string {
	if node.Kind == yaml3.AliasNode || node.Anchor != "" {
		return fmt.Sprintf("line %d has an anchor or alias", node.Line)
	}
	if node.Kind == yaml3.ScalarNode && node.Style != yaml3.DoubleQuotedStyle && !plain.MatchString(node.Value) {
		return fmt.Sprintf("line %d column %d has a scalar that is not in double quotes", node.Line, node.Column)
	}
	for _, child := range node.Content {
		if reason := unquotedNode(child); reason != "" {
			return reason
		}
	}
	return ""
}

// ambiguous says whether two readers, with the rules of go-yaml v2 and v3, take a document for different data.
func ambiguous(document []byte) string {
	var second any
	if err := yaml3.Unmarshal(document, &second); err != nil {
		return "is not YAML to a second reader"
	}
	asJSON, err := json.Marshal(second)
	if err != nil {
		return "holds keys that are no strings to a second reader"
	}
	firstJSON, err := yaml.YAMLToJSONStrict(document)
	if err != nil {
		return "is not YAML to the first reader"
	}
	var one, two any
	if json.Unmarshal(firstJSON, &one) != nil || json.Unmarshal(asJSON, &two) != nil || !reflect.DeepEqual(one, two) {
		return "reads differently to two YAML readers"
	}
	return ""
}
