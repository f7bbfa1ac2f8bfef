// Command stub is a Terraform provider that answers as hashicorp/aws does, without AWS.
//
// Its schemas are the real provider's (see extract.py), so unknown, missing and mistyped arguments are
// Terraform's own errors. What a schema cannot say is in overlay.json: defaults, name lengths, arguments that
// exclude each other. Computed attributes are unknown in a plan and get values of the right shape on apply.
//
//	STUB_SCHEMA   folder written by extract.py (required)
//	STUB_OVERLAY  overlay.json (required)
//	STUB_SCAN     folders (list) whose .tf files name the types to serve; without it all of them are served
//	STUB_CLOUD    folder that remembers what was applied, so that data sources of the next stack find it
//	STUB_STRICT   1: a lookup by name that nothing in STUB_CLOUD answers is an error, as it is in AWS
package main

import (
	"log"
	"os"

	"github.com/hashicorp/terraform-plugin-go/tfprotov5"
	"github.com/hashicorp/terraform-plugin-go/tfprotov5/tf5server"
)

func main() {
	s := &server{cloud: cloud{dir: os.Getenv("STUB_CLOUD")}, strict: os.Getenv("STUB_STRICT") == "1",
		region: "eu-central-1", account: "123456789012"}
	var err error
	if s.overlay, err = loadOverlay(os.Getenv("STUB_OVERLAY")); err != nil {
		log.Fatal(err)
	}
	if s.schemas, err = loadSchemas(os.Getenv("STUB_SCHEMA"), os.Getenv("STUB_SCAN")); err != nil {
		log.Fatal(err)
	}
	if err := tf5server.Serve("hashicorp/aws", func() tfprotov5.ProviderServer { return s },
		tf5server.WithoutLogStderrOverride()); err != nil {
		log.Fatal(err)
	}
}
