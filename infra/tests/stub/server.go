package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-go/tfprotov5"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

type server struct {
	tfprotov5.ProviderServer // what is not written below is never called: the schemas announce none of it

	schemas *Schemas
	overlay *Overlay
	cloud   cloud
	strict  bool

	region      string
	account     string
	defaultTags map[string]any
	maker       maker
}

func fault(format string, args ...any) []*tfprotov5.Diagnostic {
	return []*tfprotov5.Diagnostic{{Severity: tfprotov5.DiagnosticSeverityError, Summary: "stub provider: " + fmt.Sprintf(format, args...)}}
}

func (s *server) GetMetadata(context.Context, *tfprotov5.GetMetadataRequest) (*tfprotov5.GetMetadataResponse, error) {
	r := &tfprotov5.GetMetadataResponse{ServerCapabilities: &tfprotov5.ServerCapabilities{GetProviderSchemaOptional: true, PlanDestroy: true}}
	for _, n := range sortedKeys(s.schemas.Resource) {
		r.Resources = append(r.Resources, tfprotov5.ResourceMetadata{TypeName: n})
	}
	for _, n := range sortedKeys(s.schemas.Data) {
		r.DataSources = append(r.DataSources, tfprotov5.DataSourceMetadata{TypeName: n})
	}
	return r, nil
}

func (s *server) GetProviderSchema(context.Context, *tfprotov5.GetProviderSchemaRequest) (*tfprotov5.GetProviderSchemaResponse, error) {
	r := &tfprotov5.GetProviderSchemaResponse{
		ServerCapabilities: &tfprotov5.ServerCapabilities{GetProviderSchemaOptional: true, PlanDestroy: true},
		Provider:           s.schemas.Provider.schema(),
		ResourceSchemas:    map[string]*tfprotov5.Schema{},
		DataSourceSchemas:  map[string]*tfprotov5.Schema{},
	}
	for n, b := range s.schemas.Resource {
		r.ResourceSchemas[n] = b.schema()
	}
	for n, b := range s.schemas.Data {
		r.DataSourceSchemas[n] = b.schema()
	}
	return r, nil
}

func (s *server) GetResourceIdentitySchemas(context.Context, *tfprotov5.GetResourceIdentitySchemasRequest) (*tfprotov5.GetResourceIdentitySchemasResponse, error) {
	return &tfprotov5.GetResourceIdentitySchemasResponse{}, nil
}

func (s *server) GetFunctions(context.Context, *tfprotov5.GetFunctionsRequest) (*tfprotov5.GetFunctionsResponse, error) {
	return &tfprotov5.GetFunctionsResponse{}, nil
}

func (s *server) StopProvider(context.Context, *tfprotov5.StopProviderRequest) (*tfprotov5.StopProviderResponse, error) {
	return &tfprotov5.StopProviderResponse{}, nil
}

func (s *server) PrepareProviderConfig(_ context.Context, req *tfprotov5.PrepareProviderConfigRequest) (*tfprotov5.PrepareProviderConfigResponse, error) {
	return &tfprotov5.PrepareProviderConfigResponse{PreparedConfig: req.Config}, nil
}

func (s *server) ConfigureProvider(_ context.Context, req *tfprotov5.ConfigureProviderRequest) (*tfprotov5.ConfigureProviderResponse, error) {
	v, err := req.Config.Unmarshal(s.schemas.Provider.valueType())
	if err != nil {
		return nil, err
	}
	conf := asObject(v)
	if r := str(conf["region"]); r != "" {
		s.region = r
	}
	// the account is the one that the configuration insists on
	for _, id := range asList(conf["allowed_account_ids"]) {
		if a := str(id); a != "" {
			s.account = a
		}
	}
	for _, t := range asList(conf["default_tags"]) {
		if tags, ok := plain(asObject(t)["tags"]).(map[string]any); ok {
			s.defaultTags = tags
		}
	}
	return &tfprotov5.ConfigureProviderResponse{}, nil
}

func (s *server) ValidateResourceTypeConfig(_ context.Context, req *tfprotov5.ValidateResourceTypeConfigRequest) (*tfprotov5.ValidateResourceTypeConfigResponse, error) {
	b := s.schemas.Resource[req.TypeName]
	v, err := req.Config.Unmarshal(b.valueType())
	if err != nil {
		return nil, err
	}
	return &tfprotov5.ValidateResourceTypeConfigResponse{Diagnostics: s.overlay.check(req.TypeName, b, v)}, nil
}

func (s *server) ValidateDataSourceConfig(context.Context, *tfprotov5.ValidateDataSourceConfigRequest) (*tfprotov5.ValidateDataSourceConfigResponse, error) {
	return &tfprotov5.ValidateDataSourceConfigResponse{}, nil
}

func (s *server) UpgradeResourceState(_ context.Context, req *tfprotov5.UpgradeResourceStateRequest) (*tfprotov5.UpgradeResourceStateResponse, error) {
	t := s.schemas.Resource[req.TypeName].valueType()
	v, err := req.RawState.UnmarshalWithOpts(t, tfprotov5.UnmarshalOpts{ValueFromJSONOpts: tftypes.ValueFromJSONOpts{IgnoreUndefinedAttributes: true}})
	if err != nil {
		return nil, err
	}
	dv, err := tfprotov5.NewDynamicValue(t, v)
	return &tfprotov5.UpgradeResourceStateResponse{UpgradedState: &dv}, err
}

// ReadResource answers with what lies in the cloud's folder, where somebody may have changed it behind Terraform's back. What was never
// remembered there (no folder, or another one) is as the state says.
func (s *server) ReadResource(_ context.Context, req *tfprotov5.ReadResourceRequest) (*tfprotov5.ReadResourceResponse, error) {
	t := s.schemas.Resource[req.TypeName].valueType()
	known, err := req.CurrentState.Unmarshal(t)
	if err != nil {
		return nil, err
	}
	found, kept := s.cloud.recall(req.TypeName, known)
	if !kept {
		return &tfprotov5.ReadResourceResponse{NewState: req.CurrentState, Private: req.Private}, nil
	}
	dv, err := tfprotov5.NewDynamicValue(t, fromPlain(t, found))
	return &tfprotov5.ReadResourceResponse{NewState: &dv, Private: req.Private}, err
}

func (s *server) ImportResourceState(_ context.Context, req *tfprotov5.ImportResourceStateRequest) (*tfprotov5.ImportResourceStateResponse, error) {
	b := s.schemas.Resource[req.TypeName]
	t := b.valueType().(tftypes.Object)
	vals := object{}
	for n, at := range t.AttributeTypes {
		vals[n] = emptyOf(at, b.Nested[n])
	}
	if b.Attributes["id"] != nil {
		vals["id"] = tftypes.NewValue(tftypes.String, req.ID)
	}
	dv, err := tfprotov5.NewDynamicValue(t, tftypes.NewValue(t, vals))
	if err != nil {
		return nil, err
	}
	return &tfprotov5.ImportResourceStateResponse{ImportedResources: []*tfprotov5.ImportedResource{{TypeName: req.TypeName, State: &dv}}}, nil
}

func (s *server) MoveResourceState(context.Context, *tfprotov5.MoveResourceStateRequest) (*tfprotov5.MoveResourceStateResponse, error) {
	return &tfprotov5.MoveResourceStateResponse{Diagnostics: fault("moving between types is not supported")}, nil
}

func (s *server) PlanResourceChange(_ context.Context, req *tfprotov5.PlanResourceChangeRequest) (*tfprotov5.PlanResourceChangeResponse, error) {
	b := s.schemas.Resource[req.TypeName]
	t := b.valueType()
	proposed, err := req.ProposedNewState.Unmarshal(t)
	if err != nil {
		return nil, err
	}
	if proposed.IsNull() {
		return &tfprotov5.PlanResourceChangeResponse{PlannedState: req.ProposedNewState}, nil
	}
	prior, err := req.PriorState.Unmarshal(t)
	if err != nil {
		return nil, err
	}
	config, err := req.Config.Unmarshal(t)
	if err != nil {
		return nil, err
	}
	if diags := s.overlay.check(req.TypeName, b, config); len(diags) > 0 {
		return &tfprotov5.PlanResourceChangeResponse{PlannedState: req.ProposedNewState, Diagnostics: diags}, nil
	}
	resp := &tfprotov5.PlanResourceChangeResponse{UnsafeToUseLegacyTypeSystem: true}
	planned := proposed
	if prior.IsNull() {
		planned = s.planBlock(b, proposed, s.overlay.Defaults[req.TypeName])
		planned = s.knownInPlan(req.TypeName, b, planned)
	} else {
		planned = s.planUpdate(b, prior, proposed, s.overlay.Defaults[req.TypeName])
		for _, n := range s.overlay.ForceNew[req.TypeName] {
			if !asObject(prior)[n].Equal(asObject(planned)[n]) {
				resp.RequiresReplace = append(resp.RequiresReplace, tftypes.NewAttributePath().WithAttributeName(n))
			}
		}
	}
	dv, err := tfprotov5.NewDynamicValue(t, planned)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", req.TypeName, err)
	}
	resp.PlannedState = &dv
	return resp, nil
}

func (s *server) ApplyResourceChange(_ context.Context, req *tfprotov5.ApplyResourceChangeRequest) (*tfprotov5.ApplyResourceChangeResponse, error) {
	b := s.schemas.Resource[req.TypeName]
	t := b.valueType()
	planned, err := req.PlannedState.Unmarshal(t)
	if err != nil {
		return nil, err
	}
	if planned.IsNull() {
		if prior, err := req.PriorState.Unmarshal(t); err == nil {
			s.cloud.forget(req.TypeName, prior)
		}
		return &tfprotov5.ApplyResourceChangeResponse{NewState: req.PlannedState}, nil
	}
	state := s.fillBlock(req.TypeName, b, planned)
	s.cloud.remember(req.TypeName, state)
	dv, err := tfprotov5.NewDynamicValue(t, state)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", req.TypeName, err)
	}
	return &tfprotov5.ApplyResourceChangeResponse{NewState: &dv, UnsafeToUseLegacyTypeSystem: true}, nil
}

func (s *server) ReadDataSource(_ context.Context, req *tfprotov5.ReadDataSourceRequest) (*tfprotov5.ReadDataSourceResponse, error) {
	b := s.schemas.Data[req.TypeName]
	t := b.valueType()
	config, err := req.Config.Unmarshal(t)
	if err != nil {
		return nil, err
	}
	state, err := s.readData(req.TypeName, b, config)
	if err != nil {
		return &tfprotov5.ReadDataSourceResponse{Diagnostics: []*tfprotov5.Diagnostic{{
			Severity: tfprotov5.DiagnosticSeverityError, Summary: "reading " + strings.TrimPrefix(req.TypeName, "aws_"), Detail: err.Error()}}}, nil
	}
	dv, err := tfprotov5.NewDynamicValue(t, state)
	return &tfprotov5.ReadDataSourceResponse{State: &dv}, err
}
