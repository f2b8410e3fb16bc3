"""Clusternet's hub: its Deployments, its kubeconfig for the management cluster, its discovery."""
