package main

import (
	kustomizev1 "github.com/fluxcd/kustomize-controller/api/v1"
	sourcev1 "github.com/fluxcd/source-controller/api/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/kubernetes/scheme"
)

// What stands beside Clusters in a repository and must decode strictly as well, so that no example teaches a typo.
var others = map[string]func() any{
	"kustomize.toolkit.fluxcd.io/v1 Kustomization": func() any { return &kustomizev1.Kustomization{} },
	"source.toolkit.fluxcd.io/v1 GitRepository":    func() any { return &sourcev1.GitRepository{} },
	"source.toolkit.fluxcd.io/v1 OCIRepository":    func() any { return &sourcev1.OCIRepository{} },
	"source.toolkit.fluxcd.io/v1 Bucket":           func() any { return &sourcev1.Bucket{} },
}

// other decodes an object of a Flux or Kubernetes kind; a kind that neither knows is passed over.
func other(report *Report, title string, object unstructured.Unstructured, document []byte) {
	if make, ok := others[object.GetAPIVersion()+" "+object.GetKind()]; ok {
		strict(report, title, document, make())
		return
	}
	kind := object.GroupVersionKind()
	if !scheme.Scheme.Recognizes(kind) {
		return
	}
	typed, err := scheme.Scheme.New(kind)
	if err != nil {
		report.fault(title, "", "has no type: %v", err)
		return
	}
	strict(report, title, document, typed)
}
