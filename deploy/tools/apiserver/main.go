// The real kube-apiserver, so that the check can apply every overlay with --dry-run=server: strict decoding, defaulting,
// validation and Pod Security admission by Kubernetes itself. k8s.io/kubernetes cannot be installed as it is, because
// its go.mod replaces its own libraries; this module replaces them by their published versions.
package main

import (
	"os"

	"k8s.io/component-base/cli"
	"k8s.io/kubernetes/cmd/kube-apiserver/app"
)

func main() { os.Exit(cli.Run(app.NewAPIServerCommand())) }
