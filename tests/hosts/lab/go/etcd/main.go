// Command etcd is the etcd server, built from its published module for the lab.
// (`go install go.etcd.io/etcd/v3@…` is refused because of that module's replace directives.)
package main

import (
	"os"

	"go.etcd.io/etcd/server/v3/etcdmain"
)

func main() { etcdmain.Main(os.Args) }
