// Command argocd is three of Argo CD's servers in one program, as in Argo CD's own image: the name that it is called by says
// which one runs. (Its main package is not taken, since it holds the web server and the command line as well.) Under the name
// argocd-app-details it asks the repo-server what Argo CD's web server asks it for the page of an Application's parameters.
package main

import (
	"encoding/json"
	"os"
	"path/filepath"

	appcontroller "github.com/argoproj/argo-cd/v3/cmd/argocd-application-controller/commands"
	cmpserver "github.com/argoproj/argo-cd/v3/cmd/argocd-cmp-server/commands"
	reposerver "github.com/argoproj/argo-cd/v3/cmd/argocd-repo-server/commands"
	"github.com/argoproj/argo-cd/v3/reposerver/apiclient"
	"github.com/argoproj/argo-cd/v3/util/log"
	"github.com/spf13/cobra"
	"k8s.io/klog/v2"
)

func main() {
	klog.SetLogger(log.NewLogrusLogger(log.NewWithCurrentConfig()))
	commands := map[string]func() *cobra.Command{
		"argocd-app-details":            appDetails,
		"argocd-application-controller": appcontroller.NewCommand,
		"argocd-cmp-server":             cmpserver.NewCommand,
		"argocd-repo-server":            reposerver.NewCommand,
	}
	command, known := commands[filepath.Base(os.Args[0])]
	if !known {
		os.Exit(2)
	}
	if err := command().Execute(); err != nil {
		os.Exit(1)
	}
}

// appDetails reads a RepoServerAppDetailsQuery as JSON, and prints the repo-server's answer.
func appDetails() *cobra.Command {
	return &cobra.Command{Use: "argocd-app-details ADDRESS", Args: cobra.ExactArgs(1), RunE: func(command *cobra.Command, arguments []string) error {
		query := &apiclient.RepoServerAppDetailsQuery{}
		if err := json.NewDecoder(command.InOrStdin()).Decode(query); err != nil {
			return err
		}
		clients := apiclient.NewRepoServerClientset(arguments[0], 60, apiclient.TLSConfiguration{DisableTLS: true})
		connection, client, err := clients.NewRepoServerClient()
		if err != nil {
			return err
		}
		defer connection.Close()
		answer, err := client.GetAppDetails(command.Context(), query)
		if err != nil {
			return err
		}
		return json.NewEncoder(command.OutOrStdout()).Encode(answer)
	}}
}
