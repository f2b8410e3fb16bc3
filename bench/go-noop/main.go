// A function that changes nothing, on the official Go SDK: what our cost is compared with.
package main

import (
	"os"

	"github.com/GoogleContainerTools/kpt-functions-sdk/go/fn"
)

func main() {
	noop := fn.ResourceListProcessorFunc(func(*fn.ResourceList) (bool, error) { return true, nil })
	if err := fn.AsMain(noop); err != nil {
		os.Exit(1)
	}
}
