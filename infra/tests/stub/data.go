package main

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// zones of the regions in use; others get a, b and c.
var zoneLetters = map[string]string{"us-east-1": "abcdf", "us-west-2": "abcd", "eu-central-1": "abc", "eu-west-1": "abc"}
var zoneIDs = map[string]string{"us-east-1": "use1", "us-east-2": "use2", "us-west-2": "usw2", "eu-central-1": "euc1", "eu-west-1": "euw1",
	"eu-west-2": "euw2", "eu-west-3": "euw3", "eu-north-1": "eun1", "eu-south-1": "eus1", "ap-southeast-1": "apse1", "ap-northeast-1": "apne1"}

// AWS-managed CloudFront policies, by name: fixed ids in every account.
var managedPolicy = map[string]map[string]string{
	"aws_cloudfront_cache_policy": {
		"Managed-CachingDisabled":                        "4135ea2d-6df8-44a3-9df3-4b5a84be39ad",
		"Managed-CachingOptimized":                       "658327ea-f89d-4fab-a63d-7e88639e58f6",
		"Managed-CachingOptimizedForUncompressedObjects": "b2884449-e4de-46a7-ac36-70bc7f1ddd6d",
		"UseOriginCacheControlHeaders":                   "83da9c7e-98b4-4e11-a168-04f0df8e2c65",
		"UseOriginCacheControlHeaders-QueryStrings":      "4cc15a8a-d715-48a4-82b8-cc0b614638fe",
	},
	"aws_cloudfront_origin_request_policy": {
		"Managed-AllViewer":                             "216adef6-5c7f-47e4-b989-5492eafa07d3",
		"Managed-AllViewerExceptHostHeader":             "b689b0a8-53d0-40ab-baf2-68738e2966ac",
		"Managed-AllViewerAndCloudFrontHeaders-2022-06": "33f36d7e-f396-46d9-90e0-52428a34d9dc",
		"Managed-CORS-CustomOrigin":                     "59781a5b-3903-41f3-afcb-af62929ccde1",
		"Managed-CORS-S3Origin":                         "88a5eaf4-2fd4-4709-b370-b4c650ea3fcf",
		"Managed-UserAgentRefererHeaders":               "acba4595-bd28-49b8-b9fe-13317c0390fa",
	},
	"aws_cloudfront_response_headers_policy": {
		"Managed-SimpleCORS":                                    "60669652-455b-4ae9-85a4-c4c02393f86c",
		"Managed-CORS-With-Preflight":                           "5cc3b908-e619-4b99-88e5-2cf7f45965bd",
		"Managed-SecurityHeadersPolicy":                         "67f7725c-6f97-4210-82d7-5512b31e9d03",
		"Managed-CORS-and-SecurityHeadersPolicy":                "e61eb60c-9c35-4d20-a928-2b84e02af89c",
		"Managed-CORS-with-preflight-and-SecurityHeadersPolicy": "eaab4381-ed33-4a86-88ca-d9558dc6cd63",
	},
}

var addonVersion = map[string]string{"vpc-cni": "v1.20.4-eksbuild.1", "coredns": "v1.12.4-eksbuild.1", "kube-proxy": "v1.33.5-eksbuild.1",
	"eks-pod-identity-agent": "v1.3.9-eksbuild.3", "aws-ebs-csi-driver": "v1.52.1-eksbuild.1", "metrics-server": "v0.8.0-eksbuild.2",
	"aws-efs-csi-driver": "v2.1.13-eksbuild.1", "amazon-cloudwatch-observability": "v4.5.0-eksbuild.1", "eks-node-monitoring-agent": "v1.4.1-eksbuild.1",
	"external-dns": "v0.19.0-eksbuild.2", "cert-manager": "v1.19.1-eksbuild.1", "adot": "v0.141.0-eksbuild.1", "snapshot-controller": "v8.3.0-eksbuild.1",
	"prometheus-node-exporter": "v1.10.2-eksbuild.2", "kube-state-metrics": "v2.17.0-eksbuild.4", "aws-secrets-store-csi-driver-provider": "v2.1.1-eksbuild.1"}

var eksImage = regexp.MustCompile(`^/aws/service/eks/optimized-ami/1\.\d+/[a-z0-9_/.-]+/(image_id|release_version|image_name)$`)

func strs(v any) []string {
	var out []string
	switch x := v.(type) {
	case []any:
		for _, e := range x {
			out = append(out, fmt.Sprint(e))
		}
	case string:
		out = append(out, x)
	}
	return out
}

func anys[T any](in []T) []any {
	out := []any{}
	for _, x := range in {
		out = append(out, x)
	}
	return out
}

// readData answers a data source: what is special by hand, then what STUB_CLOUD remembers, then plausible values.
func (s *server) readData(typ string, b *Block, config tftypes.Value) (tftypes.Value, error) {
	in, _ := plain(config).(map[string]any)
	region, _ := in["region"].(string)
	if region == "" {
		region = s.region
	}
	known := map[string]any{}
	name, _ := in["name"].(string)
	short := strings.TrimPrefix(typ, "aws_")
	special := true
	switch short {
	case "caller_identity":
		known = map[string]any{"account_id": s.account, "arn": "arn:" + partitionOf(s.region) + ":iam::" + s.account + ":user/stub", "user_id": "AIDASTUBSTUBSTUBSTUB0", "id": s.account}
	case "partition":
		known = map[string]any{"partition": partitionOf(s.region), "dns_suffix": "amazonaws.com", "id": partitionOf(s.region), "reverse_dns_prefix": "com.amazonaws"}
	case "region":
		known = map[string]any{"region": region, "name": region, "id": region, "description": region, "endpoint": "ec2." + region + ".amazonaws.com"}
	case "availability_zones":
		letters, ok := zoneLetters[region]
		if !ok {
			letters = "abc"
		}
		excluded := set(append(strs(in["exclude_names"]), strs(in["exclude_zone_ids"])...)...)
		var names, ids []string
		for i, l := range letters {
			n, prefix := region+string(l), zoneIDs[region]
			if prefix == "" {
				prefix = strings.ReplaceAll(region, "-", "")
			}
			id := fmt.Sprintf("%s-az%d", prefix, i+1)
			if !excluded[n] && !excluded[id] {
				names, ids = append(names, n), append(ids, id)
			}
		}
		known = map[string]any{"names": anys(names), "zone_ids": anys(ids), "group_names": []any{region}, "id": region}
	case "iam_policy_document":
		text, err := policyDocument(in)
		if err != nil {
			return tftypes.Value{}, err
		}
		known = map[string]any{"json": indent(text), "minified_json": text, "id": s.maker.hash(text)[:12]}
	case "cloudfront_cache_policy", "cloudfront_origin_request_policy", "cloudfront_response_headers_policy":
		if name != "" {
			id := managedPolicy[typ][name]
			if id == "" && strings.HasPrefix(name, "Managed-") {
				return tftypes.Value{}, fmt.Errorf("no %s named %q", short, name)
			}
			if id != "" {
				known["id"] = id
				if name == "Managed-CachingDisabled" {
					known["min_ttl"], known["max_ttl"], known["default_ttl"] = 0, 0, 0
				}
			}
			special = id != ""
		}
	case "eks_addon_version":
		addon := fmt.Sprint(in["addon_name"])
		v := addonVersion[addon]
		if v == "" {
			return tftypes.Value{}, fmt.Errorf("no versions found for add-on %q", addon)
		}
		known = map[string]any{"version": v, "id": addon}
	case "ssm_parameter":
		if m := eksImage.FindStringSubmatch(name); m != nil {
			val := "ami-" + s.maker.hash(name, region)[:17]
			if m[1] == "release_version" {
				val = "1.33.5-20260701"
			}
			known = map[string]any{"value": val, "insecure_value": val, "type": "String", "id": name, "arn": "arn:" + partitionOf(region) + ":ssm:" + region + "::parameter" + name, "version": 1}
			break
		}
		special = false
	case "ec2_managed_prefix_list", "prefix_list":
		known = map[string]any{"id": "pl-" + s.maker.hash(name, region)[:8], "name": name, "arn": "arn:" + partitionOf(region) + ":ec2:" + region + ":aws:prefix-list/pl-" + s.maker.hash(name, region)[:8]}
	case "vpc_endpoint_service":
		if svc, ok := in["service"].(string); ok {
			known = map[string]any{"service_name": "com.amazonaws." + region + "." + svc, "id": svc, "service_region": region}
		}
	case "service_principal":
		svc := fmt.Sprint(in["service_name"])
		known = map[string]any{"name": svc + ".amazonaws.com", "id": svc, "suffix": "amazonaws.com", "service_name": svc}
	case "cloudfront_log_delivery_canonical_user_id", "canonical_user_id":
		known = map[string]any{"id": "c4c1ede66af53448b93c283ce9448c4ba468c9432aa01d700d3878632f77d2d0"}
	case "default_tags":
		known = map[string]any{"tags": s.defaultTags, "id": "default_tags"}
	case "iam_session_context":
		known = map[string]any{"issuer_arn": in["arn"], "issuer_id": "AROASTUB", "issuer_name": "stub", "session_name": "", "id": in["arn"]}
	case "arn":
		parts := strings.SplitN(fmt.Sprint(in["arn"]), ":", 6)
		if len(parts) != 6 {
			return tftypes.Value{}, fmt.Errorf("%q is not an ARN", in["arn"])
		}
		known = map[string]any{"partition": parts[1], "service": parts[2], "region": parts[3], "account": parts[4], "resource": parts[5], "id": in["arn"]}
	default:
		special = false
	}
	if !special {
		found, err := s.lookUp(typ, b, in, region)
		if err != nil {
			return tftypes.Value{}, err
		}
		known = found
		if typ == "aws_ssm_parameter" && known["type"] == "SecureString" {
			delete(known, "insecure_value")
		}
	}
	vals := asObject(config)
	for n, a := range b.Attributes {
		if !vals[n].IsNull() {
			continue
		}
		if k, ok := known[n]; ok {
			vals[n] = fromPlain(a.typ, k)
		}
	}
	for n, nb := range b.Nested {
		vals[n] = eachNested(vals[n], func(x tftypes.Value) tftypes.Value { return s.planBlock(nb.Block, x, nil) })
	}
	seed := map[string]any{}
	for k, v := range in {
		if v != nil {
			seed[k] = v
		}
	}
	seed["region"] = region
	seed["\x00identity"] = s.maker.hash(typ, seed) // a data source gives the same answer every time
	for _, n := range append([]string{"region", "id", "arn"}, sortedKeys(b.Attributes)...) {
		a := b.Attributes[n]
		if a == nil || !vals[n].IsNull() || !a.Computed {
			continue
		}
		if n == "tags" {
			vals[n] = tftypes.NewValue(a.typ, map[string]tftypes.Value{})
			continue
		}
		vals[n] = s.made(typ, n, &Attribute{typ: a.typ}, a.typ, seed)
		if p := plain(vals[n]); p != nil {
			seed[n] = p
		}
	}
	for n, nb := range b.Nested {
		vals[n] = eachNested(vals[n], func(x tftypes.Value) tftypes.Value { return s.fillBlock(typ+"."+n, nb.Block, x) })
	}
	return tftypes.NewValue(config.Type(), vals), nil
}

// lookUp finds the object among those remembered; a filter by name that finds none is an error in strict mode.
func (s *server) lookUp(typ string, b *Block, in map[string]any, region string) (map[string]any, error) {
	want, named := map[string]any{}, false
	for k, v := range in {
		a := b.Attributes[k]
		if v == nil || a == nil || isColl(a.typ) && k != "tags" {
			continue
		}
		if k == "with_decryption" || k == "most_recent" || k == "private_zone" || k == "include_deprecated" {
			continue
		}
		want[k] = v
		named = named || k != "region"
	}
	if b.Attributes["region"] != nil {
		want["region"] = region
	}
	found := s.cloud.find(typ, want)
	if len(found) > 0 {
		return found[0], nil
	}
	if s.strict && named && s.cloud.dir != "" {
		return nil, fmt.Errorf("nothing applied so far answers %s %s", typ, jsonText(want))
	}
	return map[string]any{}, nil
}
