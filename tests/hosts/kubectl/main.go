// Command kubectl is Kubernetes' own client, built from its published packages for the host tests.
// (`go install k8s.io/kubernetes/cmd/kubectl@…` is refused because of that module's replace directives.)
package main

import (
	"os"

	"k8s.io/component-base/cli"
	"k8s.io/kubectl/pkg/cmd"
)

func main() {
	os.Exit(cli.Run(cmd.NewDefaultKubectlCommand()))
}
