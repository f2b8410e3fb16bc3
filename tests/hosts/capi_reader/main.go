// Command capi_reader reads what clusternet-capi-fn renders with the eyes of those who will get it: Cluster API's own
// types, selector parser, payload parser, sorter and admission webhook, and the Kubernetes types of the payload.
//
// It reads a stream of YAML documents on stdin, prints a JSON report on stdout, and exits 0 when nothing is wrong, 1 on
// violations, and 2 when it can't work at all. Secret values never reach the report.
//
// With -apply it also runs Cluster API's own ClusterResourceSet controller on the stream, against API servers in memory,
// and reports what arrives on each workload cluster. Files named as arguments are later renders, applied on top.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
)

// Violation is one thing that is wrong, and where.
type Violation struct {
	Object  string `json:"object"`
	Where   string `json:"where,omitempty"`
	Message string `json:"message"`
}

// Report is what the program prints.
type Report struct {
	Sets       []SetReport       `json:"clusterResourceSets"`
	Delivered  []DeliveredReport `json:"delivered,omitempty"`
	Violations []Violation       `json:"violations"`
}

func (r *Report) fault(object, where, format string, args ...any) {
	r.Violations = append(r.Violations, Violation{Object: object, Where: where, Message: fmt.Sprintf(format, args...)})
}

func main() {
	missing := flag.Bool("missing-ok", false, "a ClusterResourceSet may refer to a Secret that is not in the stream")
	apply := flag.Bool("apply", false, "run Cluster API's controller on the stream as well")
	flag.Parse()
	report := &Report{Sets: []SetReport{}, Violations: []Violation{}}
	text, err := io.ReadAll(os.Stdin)
	if err != nil {
		fail(err)
	}
	first := readStream(report, text)
	check(report, first, *missing)
	renders := []*stream{first}
	for _, path := range flag.Args() {
		text, err := os.ReadFile(path)
		if err != nil {
			fail(err)
		}
		next := readStream(report, text)
		check(report, next, *missing)
		renders = append(renders, next)
	}
	if *apply && len(report.Violations) == 0 {
		if err := deliver(report, renders); err != nil {
			fail(err)
		}
	}
	out := json.NewEncoder(os.Stdout)
	out.SetIndent("", "  ")
	if err := out.Encode(report); err != nil {
		fail(err)
	}
	if len(report.Violations) > 0 {
		os.Exit(1)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "capi_reader:", err)
	os.Exit(2)
}
