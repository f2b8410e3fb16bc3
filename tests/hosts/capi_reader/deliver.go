package main

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/client-go/kubernetes/scheme"
	addonsv1 "sigs.k8s.io/cluster-api/api/addons/v1beta2"
	clusterv1 "sigs.k8s.io/cluster-api/api/core/v1beta2"
	"sigs.k8s.io/cluster-api/controllers/clustercache"
	"sigs.k8s.io/cluster-api/core/reconcilers/clusterresourceset"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
)

// A controller retries a failed reconcile; so many rounds are more than enough for everything to arrive.
const rounds = 6

// issued is what the token controller of a workload cluster writes into a service-account token Secret.
const issued = "issued-by-the-workload-cluster"

// checksum is the annotation that rolls the pods when the registration changes.
const checksum = "fn.clusternet.io/registration-checksum"

// DeliveredReport is what one workload cluster ends up with.
type DeliveredReport struct {
	Cluster   string            `json:"cluster"`
	Objects   []string          `json:"objects"`
	Applied   []string          `json:"applied"`   // entries of its ClusterResourceSetBinding that are applied
	Pending   []string          `json:"pending"`   // those that are not
	Image     string            `json:"image"`     // of the agent
	Arguments []string          `json:"arguments"` // of the agent
	Checksum  string            `json:"checksum"`  // annotation of its pods
	Notes     map[string]string `json:"notes"`     // other annotations of its pods
	Variables map[string]string `json:"variables"` // of the agent's environment, those that have a plain value
	Tokens    map[string]bool   `json:"tokens"`    // service-account token Secrets, and whether what the cluster wrote is there
	Labels    map[string]string `json:"labels"`    // of the agent's Namespace
	ParentURL string            `json:"parentURL"` // as the agent will read it
	Token     string            `json:"token"`     // SHA-256 of the registration token that the agent will read
}

// workloads stands for the cluster cache: a client for each Cluster.
type workloads struct {
	clustercache.ClusterCache
	clients map[client.ObjectKey]client.WithWatch
}

func (w *workloads) GetClient(_ context.Context, cluster client.ObjectKey) (client.Client, error) {
	if found, ok := w.clients[cluster]; ok {
		return found, nil
	}
	return nil, clustercache.ErrClusterNotConnected
}

// deliver runs Cluster API's ClusterResourceSet controller on the renders, one after the other.
func deliver(report *Report, renders []*stream) error {
	ctx := context.Background()
	management, err := managementClient()
	if err != nil {
		return err
	}
	cache := &workloads{clients: map[client.ObjectKey]client.WithWatch{}}
	reconciler := &clusterresourceset.Reconciler{Client: management, ClusterCache: cache}
	for _, render := range renders {
		if err := apply(ctx, management, cache, render); err != nil {
			return err
		}
		settle(ctx, report, reconciler, render)
		if err := tenants(ctx, cache); err != nil {
			return err
		}
	}
	return summarize(ctx, report, management, cache)
}

func managementClient() (client.WithWatch, error) {
	types := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{scheme.AddToScheme, addonsv1.AddToScheme, clusterv1.AddToScheme} {
		if err := add(types); err != nil {
			return nil, err
		}
	}
	status := []client.Object{&addonsv1.ClusterResourceSet{}, &clusterv1.Cluster{}}
	return fake.NewClientBuilder().WithScheme(types).WithStatusSubresource(status...).Build(), nil
}

// apply puts a render on the management cluster as a GitOps tool would, adding what the topology controller adds.
func apply(ctx context.Context, management client.Client, cache *workloads, render *stream) error {
	var objects []client.Object
	for index := range render.clusters {
		cluster := render.clusters[index].DeepCopy()
		cluster.Labels = liveLabels(cluster)
		objects = append(objects, cluster)
		at := client.ObjectKeyFromObject(cluster)
		if cache.clients[at] == nil {
			cache.clients[at] = workloadClient()
		}
	}
	for _, secret := range render.secrets {
		objects = append(objects, secret.DeepCopy())
	}
	for _, configMap := range render.configMaps {
		objects = append(objects, configMap.DeepCopy())
	}
	for index := range render.sets {
		set := render.sets[index].DeepCopy()
		set.UID = types.UID(key(set.Namespace, set.Name))
		objects = append(objects, set)
	}
	for _, object := range objects {
		object.SetResourceVersion("")
		err := management.Create(ctx, object)
		if apierrors.IsAlreadyExists(err) {
			err = update(ctx, management, object)
		}
		if err != nil {
			return fmt.Errorf("applying %T %s: %w", object, client.ObjectKeyFromObject(object), err)
		}
	}
	return nil
}

// update replaces an object's content and keeps what the controllers wrote into its metadata.
func update(ctx context.Context, management client.Client, object client.Object) error {
	live := object.DeepCopyObject().(client.Object)
	if err := management.Get(ctx, client.ObjectKeyFromObject(object), live); err != nil {
		return err
	}
	object.SetResourceVersion(live.GetResourceVersion())
	object.SetFinalizers(live.GetFinalizers())
	object.SetOwnerReferences(live.GetOwnerReferences())
	object.SetUID(live.GetUID())
	return management.Update(ctx, object)
}

// settle reconciles every set again and again, in the least helpful order, as retries would.
func settle(ctx context.Context, report *Report, reconciler *clusterresourceset.Reconciler, render *stream) {
	sets := slices.Clone(render.sets)
	slices.SortFunc(sets, func(a, b addonsv1.ClusterResourceSet) int {
		return strings.Compare(key(a.Namespace, a.Name), key(b.Namespace, b.Name)) // N before N-identity
	})
	failed := map[string]error{}
	for range rounds {
		clear(failed)
		for index := range sets {
			request := ctrl.Request{NamespacedName: client.ObjectKeyFromObject(&sets[index])}
			if _, err := reconciler.Reconcile(ctx, request); err != nil {
				failed[request.String()] = err
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(failed)) {
		report.fault("ClusterResourceSet "+name, "", "still fails after %d rounds: %v", rounds, failed[name])
	}
}

// workloadClient is a workload cluster's API server in memory, with the rules that a payload can break.
func workloadClient() client.WithWatch {
	server := fake.NewClientBuilder().WithScheme(scheme.Scheme).Build()
	return interceptor.NewClient(server, interceptor.Funcs{
		Patch: func(
			ctx context.Context, c client.WithWatch, object client.Object, patch client.Patch, options ...client.PatchOption,
		) error {
			if err := immutable(ctx, c, object); err != nil {
				return err
			}
			return c.Patch(ctx, object, patch, options...)
		},
		Create: func(ctx context.Context, c client.WithWatch, object client.Object, options ...client.CreateOption) error {
			if err := admit(ctx, c, object); err != nil {
				return err
			}
			return c.Create(ctx, object, options...)
		},
	})
}

func admit(ctx context.Context, c client.Client, object client.Object) error {
	namespace := object.GetNamespace()
	if namespace != "" {
		if err := c.Get(ctx, client.ObjectKey{Name: namespace}, &corev1.Namespace{}); err != nil {
			return err
		}
	}
	account := object.GetAnnotations()[corev1.ServiceAccountNameKey]
	if account == "" {
		return nil
	}
	// The token controller deletes such a Secret; here it is not let in at all.
	return c.Get(ctx, client.ObjectKey{Namespace: namespace, Name: account}, &corev1.ServiceAccount{})
}

// immutable refuses what a server refuses: another role in a binding, another selector in a Deployment.
func immutable(ctx context.Context, c client.Client, object client.Object) error {
	wanted, ok := object.(*unstructured.Unstructured)
	if !ok {
		return nil
	}
	live := &unstructured.Unstructured{}
	live.SetGroupVersionKind(wanted.GroupVersionKind())
	if err := c.Get(ctx, client.ObjectKeyFromObject(wanted), live); err != nil {
		return err
	}
	for _, path := range [][]string{{"roleRef"}, {"spec", "selector"}} {
		before, _, _ := unstructured.NestedFieldNoCopy(live.Object, path...)
		after, _, _ := unstructured.NestedFieldNoCopy(wanted.Object, path...)
		if !reflect.DeepEqual(before, after) {
			return apierrors.NewInvalid(wanted.GroupVersionKind().GroupKind(), wanted.GetName(), field.ErrorList{
				field.Invalid(field.NewPath(path[0], path[1:]...), "", "field is immutable"),
			})
		}
	}
	return nil
}

// tenants does what a workload cluster's own controllers and admins do: issue tokens, label the Namespace.
func tenants(ctx context.Context, cache *workloads) error {
	for _, c := range cache.clients {
		var secrets corev1.SecretList
		if err := c.List(ctx, &secrets); err != nil {
			return err
		}
		for index := range secrets.Items {
			secret := &secrets.Items[index]
			if secret.Type != corev1.SecretTypeServiceAccountToken || len(secret.Data) > 0 {
				continue
			}
			secret.Data = map[string][]byte{corev1.ServiceAccountTokenKey: []byte(issued)}
			if err := c.Update(ctx, secret); err != nil {
				return err
			}
		}
		var namespaces corev1.NamespaceList
		if err := c.List(ctx, &namespaces); err != nil {
			return err
		}
		for index := range namespaces.Items {
			namespace := &namespaces.Items[index]
			metav1.SetMetaDataLabel(&namespace.ObjectMeta, "pod-security.kubernetes.io/enforce", "baseline")
			if err := c.Update(ctx, namespace); err != nil {
				return err
			}
		}
	}
	return nil
}

func summarize(ctx context.Context, report *Report, management client.Client, cache *workloads) error {
	order := func(a, b client.ObjectKey) int { return strings.Compare(a.String(), b.String()) }
	for _, cluster := range slices.SortedFunc(maps.Keys(cache.clients), order) {
		out := DeliveredReport{
			Cluster: cluster.String(), Objects: []string{}, Applied: []string{}, Pending: []string{}, Arguments: []string{},
			Tokens: map[string]bool{}, Labels: map[string]string{}, Variables: map[string]string{},
		}
		var binding addonsv1.ClusterResourceSetBinding
		err := management.Get(ctx, cluster, &binding)
		if client.IgnoreNotFound(err) != nil {
			return err
		}
		for _, set := range binding.Spec.Bindings {
			for _, resource := range set.Resources {
				entry := set.ClusterResourceSetName + ": " + resource.Kind + " " + resource.Name
				if resource.Applied != nil && *resource.Applied {
					out.Applied = append(out.Applied, entry)
				} else {
					out.Pending = append(out.Pending, entry)
				}
			}
		}
		if err := inspect(ctx, cache.clients[cluster], &out); err != nil {
			return err
		}
		slices.Sort(out.Applied)
		slices.Sort(out.Pending)
		report.Delivered = append(report.Delivered, out)
	}
	return nil
}

// inspect lists what a workload cluster holds of the kinds that an agent consists of.
func inspect(ctx context.Context, c client.Client, out *DeliveredReport) error {
	for _, kind := range []string{
		"v1 Namespace", "v1 ServiceAccount", "v1 Secret", "apps/v1 Deployment", "rbac.authorization.k8s.io/v1 Role",
		"rbac.authorization.k8s.io/v1 RoleBinding", "rbac.authorization.k8s.io/v1 ClusterRole",
		"rbac.authorization.k8s.io/v1 ClusterRoleBinding",
	} {
		apiVersion, name, _ := strings.Cut(kind, " ")
		list := &unstructured.UnstructuredList{}
		list.SetAPIVersion(apiVersion)
		list.SetKind(name + "List")
		if err := c.List(ctx, list); err != nil {
			return err
		}
		for index := range list.Items {
			one := manifest{Unstructured: list.Items[index]}
			out.Objects = append(out.Objects, one.title())
			describe(&one, out)
		}
	}
	slices.Sort(out.Objects)
	return nil
}

func describe(one *manifest, out *DeliveredReport) {
	switch one.GetKind() {
	case "Namespace":
		out.Labels = one.GetLabels()
	case "Secret":
		if kind, _, _ := unstructured.NestedString(one.Object, "type"); kind == string(corev1.SecretTypeServiceAccountToken) {
			data, _, _ := unstructured.NestedStringMap(one.Object, "data")
			out.Tokens[one.title()] = data[corev1.ServiceAccountTokenKey] != ""
		} else if one.GetName() == "clusternet-agent-cluster-registration" {
			data, _, _ := unstructured.NestedStringMap(one.Object, "data")
			parent, _ := base64.StdEncoding.DecodeString(data["parentURL"])
			token, _ := base64.StdEncoding.DecodeString(data["regToken"])
			out.ParentURL, out.Token = string(parent), fmt.Sprintf("%x", sha256.Sum256(token))
		}
	case "Deployment":
		containers, _, _ := unstructured.NestedSlice(one.Object, "spec", "template", "spec", "containers")
		for _, container := range containers {
			fields, _ := container.(map[string]any)
			out.Image, _, _ = unstructured.NestedString(fields, "image")
			out.Arguments, _, _ = unstructured.NestedStringSlice(fields, "args")
			variables, _, _ := unstructured.NestedSlice(fields, "env")
			for _, variable := range variables {
				entry, _ := variable.(map[string]any)
				name, _, _ := unstructured.NestedString(entry, "name")
				if _, elsewhere := entry["valueFrom"]; !elsewhere { // a server leaves an empty value out
					out.Variables[name], _, _ = unstructured.NestedString(entry, "value")
				}
			}
		}
		annotations, _, _ := unstructured.NestedStringMap(one.Object, "spec", "template", "metadata", "annotations")
		out.Checksum = annotations[checksum]
		delete(annotations, checksum)
		out.Notes = annotations
	}
}
