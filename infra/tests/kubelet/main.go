// The kubelet's own judgement of its configuration: strict decoding, defaults and validation by Kubernetes itself.
// Reads one KubeletConfiguration as JSON from standard input. Prints what is wrong and exits 1, or prints the
// configuration with its defaults and exits 0. It is built by ./build, from the few packages of k8s.io/kubernetes that
// validation consists of.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	utilfeature "k8s.io/apiserver/pkg/util/feature"
	kubeletconfig "k8s.io/kubernetes/pkg/kubelet/apis/config"
	"k8s.io/kubernetes/pkg/kubelet/apis/config/scheme"
	"k8s.io/kubernetes/pkg/kubelet/apis/config/validation"
)

func judge(data []byte) (*kubeletconfig.KubeletConfiguration, error) {
	_, codecs, err := scheme.NewSchemeAndCodecs(serializer.EnableStrict)
	if err != nil {
		return nil, err
	}
	object, err := runtime.Decode(codecs.UniversalDecoder(), data)
	if err != nil {
		return nil, err
	}
	config, ok := object.(*kubeletconfig.KubeletConfiguration)
	if !ok {
		return nil, fmt.Errorf("this is a %T", object)
	}
	gates := utilfeature.DefaultFeatureGate.DeepCopy()
	if err := gates.SetFromMap(config.FeatureGates); err != nil {
		return nil, err
	}
	return config, validation.ValidateKubeletConfiguration(config, gates)
}

func main() {
	data, err := io.ReadAll(os.Stdin)
	if err == nil {
		var config *kubeletconfig.KubeletConfiguration
		if config, err = judge(data); err == nil {
			err = json.NewEncoder(os.Stdout).Encode(config)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
