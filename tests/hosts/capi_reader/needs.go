package main

import (
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
)

// needs lists what must exist on the workload cluster before an object does its work there.
func needs(m *manifest) []string {
	var out []string
	namespace := m.GetNamespace()
	if namespace != "" {
		out = append(out, "Namespace "+namespace)
	}
	switch typed := m.typed.(type) {
	case *corev1.Secret:
		if typed.Type == corev1.SecretTypeServiceAccountToken {
			// The token controller may delete it for want of its account.
			out = append(out, in(namespace, "ServiceAccount", typed.Annotations[corev1.ServiceAccountNameKey]))
		}
	case *rbacv1.RoleBinding:
		out = append(out, role(typed.RoleRef, namespace)...)
		out = append(out, subjects(typed.Subjects)...)
	case *rbacv1.ClusterRoleBinding:
		out = append(out, role(typed.RoleRef, namespace)...)
		out = append(out, subjects(typed.Subjects)...)
	case *appsv1.Deployment:
		pod := typed.Spec.Template.Spec
		out = append(out, in(namespace, "ServiceAccount", pod.ServiceAccountName))
		for _, container := range pod.Containers {
			for _, variable := range container.Env {
				if from := variable.ValueFrom; from != nil && from.SecretKeyRef != nil {
					out = append(out, in(namespace, "Secret", from.SecretKeyRef.Name))
				}
			}
		}
	}
	return out
}

func role(ref rbacv1.RoleRef, namespace string) []string {
	switch {
	case ref.Kind == "Role":
		return []string{in(namespace, "Role", ref.Name)}
	case ref.Name == "cluster-admin": // every cluster has it
		return nil
	default:
		return []string{"ClusterRole " + ref.Name}
	}
}

func subjects(all []rbacv1.Subject) []string {
	var out []string
	for _, one := range all {
		if one.Kind == rbacv1.ServiceAccountKind {
			out = append(out, in(one.Namespace, "ServiceAccount", one.Name))
		}
	}
	return out
}
