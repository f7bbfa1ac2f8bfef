package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"sync"

	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// maker gives every object a stable identity derived from its known arguments; two equal objects get different ones.
type maker struct {
	mu   sync.Mutex
	used map[string]int
}

func (m *maker) hash(parts ...any) string {
	sum := sha256.Sum256([]byte(jsonText(parts)))
	return hex.EncodeToString(sum[:])
}

func (m *maker) unique(parts ...any) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.used == nil {
		m.used = map[string]int{}
	}
	h := m.hash(parts...)
	m.used[h]++
	if n := m.used[h]; n > 1 {
		return m.hash(h, n)
	}
	return h
}

// idPrefix: EC2-style ids. Types that are not listed are identified by name or by a hash.
var idPrefix = map[string]string{
	"aws_vpc": "vpc-", "aws_subnet": "subnet-", "aws_security_group": "sg-", "aws_route_table": "rtb-",
	"aws_internet_gateway": "igw-", "aws_egress_only_internet_gateway": "eigw-", "aws_nat_gateway": "nat-", "aws_eip": "eipalloc-",
	"aws_vpc_endpoint": "vpce-", "aws_network_acl": "acl-", "aws_launch_template": "lt-", "aws_vpc_peering_connection": "pcx-",
	"aws_flow_log": "fl-", "aws_network_interface": "eni-", "aws_ec2_instance_connect_endpoint": "eice-", "aws_instance": "i-",
	"aws_ec2_managed_prefix_list": "pl-", "aws_vpc_security_group_ingress_rule": "sgr-", "aws_vpc_security_group_egress_rule": "sgr-",
	"aws_security_group_rule": "sgrule-", "aws_route_table_association": "rtbassoc-", "aws_ebs_volume": "vol-", "aws_ami": "ami-",
	"aws_vpc_dhcp_options": "dopt-", "aws_cloudfront_vpc_origin": "vo_", "aws_eks_pod_identity_association": "a-",
	"aws_prometheus_workspace": "ws-", "aws_grafana_workspace": "g-", "aws_s3_access_point": "", "aws_efs_file_system": "fs-",
	"aws_vpc_endpoint_service": "vpce-svc-", "aws_vpc_block_public_access_options": "",
}

// idIsName: types whose id is their name; idIsARN: types whose id is their arn.
var idIsName = set("aws_iam_role", "aws_iam_instance_profile", "aws_iam_group", "aws_iam_user", "aws_eks_cluster", "aws_memorydb_cluster",
	"aws_memorydb_acl", "aws_memorydb_user", "aws_memorydb_subnet_group", "aws_memorydb_parameter_group", "aws_memorydb_snapshot",
	"aws_cloudwatch_log_group", "aws_cloudwatch_metric_alarm", "aws_cloudwatch_composite_alarm", "aws_ecr_repository", "aws_s3_bucket",
	"aws_ssm_parameter", "aws_cloudwatch_event_rule", "aws_backup_vault", "aws_kms_alias", "aws_dynamodb_table", "aws_lambda_function",
	"aws_cloudwatch_dashboard", "aws_scheduler_schedule_group")
var idIsARN = set("aws_lb", "aws_lb_target_group", "aws_lb_listener", "aws_lb_listener_rule", "aws_sns_topic", "aws_acm_certificate", "aws_iam_policy",
	"aws_iam_openid_connect_provider", "aws_secretsmanager_secret", "aws_globalaccelerator_accelerator", "aws_globalaccelerator_listener",
	"aws_globalaccelerator_endpoint_group", "aws_sfn_state_machine", "aws_synthetics_canary", "aws_wafv2_web_acl_logging_configuration")
var idIsUUID = set("aws_kms_key", "aws_wafv2_web_acl", "aws_wafv2_ip_set", "aws_wafv2_rule_group", "aws_cloudfront_cache_policy",
	"aws_cloudfront_origin_request_policy", "aws_cloudfront_response_headers_policy", "aws_shield_protection", "aws_route53_health_check", "aws_backup_plan")

func set(names ...string) map[string]bool {
	out := map[string]bool{}
	for _, n := range names {
		out[n] = true
	}
	return out
}

// arnShape: %R region, %A account, %N name, %H hash. Types that are not listed get one made of their name.
var arnShape = map[string]string{
	"aws_s3_bucket":                        "arn:aws:s3:::%N",
	"aws_iam_role":                         "arn:aws:iam::%A:role%P%N",
	"aws_iam_policy":                       "arn:aws:iam::%A:policy%P%N",
	"aws_iam_instance_profile":             "arn:aws:iam::%A:instance-profile%P%N",
	"aws_iam_openid_connect_provider":      "arn:aws:iam::%A:oidc-provider/%U",
	"aws_kms_key":                          "arn:aws:kms:%R:%A:key/%I",
	"aws_kms_replica_key":                  "arn:aws:kms:%R:%A:key/%I",
	"aws_kms_alias":                        "arn:aws:kms:%R:%A:%N",
	"aws_sns_topic":                        "arn:aws:sns:%R:%A:%N",
	"aws_sqs_queue":                        "arn:aws:sqs:%R:%A:%N",
	"aws_lb":                               "arn:aws:elasticloadbalancing:%R:%A:loadbalancer/%L/%N/%H",
	"aws_lb_target_group":                  "arn:aws:elasticloadbalancing:%R:%A:targetgroup/%N/%H",
	"aws_lb_listener":                      "arn:aws:elasticloadbalancing:%R:%A:listener/net/%N/%H",
	"aws_lb_listener_rule":                 "arn:aws:elasticloadbalancing:%R:%A:listener-rule/app/%N/%H",
	"aws_acm_certificate":                  "arn:aws:acm:%R:%A:certificate/%I",
	"aws_cloudfront_distribution":          "arn:aws:cloudfront::%A:distribution/%I",
	"aws_cloudfront_vpc_origin":            "arn:aws:cloudfront::%A:vpcorigin/%I",
	"aws_wafv2_web_acl":                    "arn:aws:wafv2:us-east-1:%A:global/webacl/%N/%I",
	"aws_wafv2_ip_set":                     "arn:aws:wafv2:us-east-1:%A:global/ipset/%N/%I",
	"aws_secretsmanager_secret":            "arn:aws:secretsmanager:%R:%A:secret:%N-%6",
	"aws_secretsmanager_secret_version":    "arn:aws:secretsmanager:%R:%A:secret:%N-%6",
	"aws_cloudwatch_log_group":             "arn:aws:logs:%R:%A:log-group:%N",
	"aws_cloudwatch_metric_alarm":          "arn:aws:cloudwatch:%R:%A:alarm:%N",
	"aws_cloudwatch_composite_alarm":       "arn:aws:cloudwatch:%R:%A:alarm:%N",
	"aws_cloudwatch_dashboard":             "arn:aws:cloudwatch::%A:dashboard/%N",
	"aws_cloudwatch_event_rule":            "arn:aws:events:%R:%A:rule/%N",
	"aws_scheduler_schedule":               "arn:aws:scheduler:%R:%A:schedule/default/%N",
	"aws_sfn_state_machine":                "arn:aws:states:%R:%A:stateMachine:%N",
	"aws_lambda_function":                  "arn:aws:lambda:%R:%A:function:%N",
	"aws_ecr_repository":                   "arn:aws:ecr:%R:%A:repository/%N",
	"aws_eks_cluster":                      "arn:aws:eks:%R:%A:cluster/%N",
	"aws_eks_node_group":                   "arn:aws:eks:%R:%A:nodegroup/%C/%N/%H",
	"aws_eks_addon":                        "arn:aws:eks:%R:%A:addon/%C/%N/%H",
	"aws_memorydb_cluster":                 "arn:aws:memorydb:%R:%A:cluster/%N",
	"aws_memorydb_acl":                     "arn:aws:memorydb:%R:%A:acl/%N",
	"aws_memorydb_user":                    "arn:aws:memorydb:%R:%A:user/%N",
	"aws_memorydb_subnet_group":            "arn:aws:memorydb:%R:%A:subnetgroup/%N",
	"aws_memorydb_parameter_group":         "arn:aws:memorydb:%R:%A:parametergroup/%N",
	"aws_memorydb_snapshot":                "arn:aws:memorydb:%R:%A:snapshot/%N",
	"aws_memorydb_multi_region_cluster":    "arn:aws:memorydb::%A:multiregioncluster/%N",
	"aws_ssm_parameter":                    "arn:aws:ssm:%R:%A:parameter%N",
	"aws_backup_vault":                     "arn:aws:backup:%R:%A:backup-vault:%N",
	"aws_globalaccelerator_accelerator":    "arn:aws:globalaccelerator::%A:accelerator/%U",
	"aws_globalaccelerator_listener":       "arn:aws:globalaccelerator::%A:accelerator/%U/listener/%8",
	"aws_globalaccelerator_endpoint_group": "arn:aws:globalaccelerator::%A:accelerator/%U/listener/%8/endpoint-group/%8",
	"aws_route53_zone":                     "arn:aws:route53:::hostedzone/%I",
	"aws_route53_health_check":             "arn:aws:route53:::healthcheck/%I",
	"aws_budgets_budget":                   "arn:aws:budgets::%A:budget/%N",
	"aws_prometheus_workspace":             "arn:aws:aps:%R:%A:workspace/%I",
	"aws_dynamodb_table":                   "arn:aws:dynamodb:%R:%A:table/%N",
	"aws_kinesis_firehose_delivery_stream": "arn:aws:firehose:%R:%A:deliverystream/%N",
}

func service(typ string) (svc, kind string) {
	words := strings.SplitN(strings.TrimPrefix(typ, "aws_"), "_", 2)
	ec2 := set("vpc", "subnet", "security", "route", "internet", "nat", "eip", "network", "launch", "flow", "ec2", "instance", "ebs", "default", "egress", "ami")
	if ec2[words[0]] {
		return "ec2", strings.ReplaceAll(strings.TrimPrefix(strings.TrimPrefix(typ, "aws_"), "ec2_"), "_", "-")
	}
	if len(words) == 1 {
		return words[0], words[0]
	}
	return words[0], strings.ReplaceAll(words[1], "_", "-")
}

func uuid(h string) string {
	return fmt.Sprintf("%s-%s-4%s-8%s-%s", h[:8], h[8:12], h[13:16], h[17:20], h[20:32])
}

// nameOf: the name an object goes by.
func nameOf(typ string, seed map[string]any) string {
	for _, k := range []string{"name", "bucket", "cluster_identifier", "cluster_name", "repository_name", "identifier", "domain_name", "dashboard_name", "alarm_name",
		"function_name", "addon_name", "node_group_name", "user_name", "key_id", "id"} {
		if k == "cluster_name" && (typ == "aws_eks_node_group" || typ == "aws_eks_addon") {
			continue
		}
		if s, ok := seed[k].(string); ok && s != "" {
			return s
		}
	}
	return ""
}

// partitionOf: a partition holds whole regions, and their names say which it is.
func partitionOf(region string) string {
	for _, p := range []string{"us-gov", "cn"} {
		if strings.HasPrefix(region, p+"-") {
			return "aws-" + p
		}
	}
	return "aws"
}

func (s *server) regionOf(seed map[string]any) string {
	if r, ok := seed["region"].(string); ok && r != "" {
		return r
	}
	return s.region
}

func (s *server) arn(typ, h string, seed map[string]any) string {
	shape, ok := arnShape[typ]
	if !ok {
		svc, kind := service(typ)
		shape = "arn:aws:" + svc + ":%R:%A:" + kind + "/%X"
	}
	id, _ := seed["id"].(string)
	if id == "" || strings.HasPrefix(id, "arn:") {
		id = s.id(typ, h, seed)
	}
	name := nameOf(typ, seed)
	if name == "" || strings.HasPrefix(name, "arn:") {
		name = h[:12]
	}
	x := id
	path := "/"
	if p, ok := seed["path"].(string); ok && p != "" {
		path = p
	}
	kind := "app"
	if k, ok := seed["load_balancer_type"].(string); ok && k == "network" {
		kind = "net"
	}
	shape = strings.Replace(shape, "arn:aws:", "arn:"+partitionOf(s.region)+":", 1)
	cluster, _ := seed["cluster_name"].(string)
	url := strings.TrimPrefix(fmt.Sprint(seed["url"]), "https://")
	if seed["url"] == nil {
		url = uuid(h)
	}
	return strings.NewReplacer("%R", s.regionOf(seed), "%A", s.account, "%N", name, "%H", h[:16], "%I", id, "%P", path, "%L", kind,
		"%C", cluster, "%U", url, "%6", h[:6], "%8", h[:8], "%X", x).Replace(shape)
}

func (s *server) id(typ, h string, seed map[string]any) string {
	switch {
	case idPrefix[typ] != "":
		return idPrefix[typ] + h[:17]
	case idIsUUID[typ]:
		return uuid(h)
	case typ == "aws_cloudfront_distribution" || typ == "aws_cloudfront_origin_access_control" || typ == "aws_cloudfront_function":
		return "E" + strings.ToUpper(h[:13])
	case typ == "aws_route53_zone" || typ == "aws_route53_delegation_set":
		return "Z" + strings.ToUpper(h[:19])
	case typ == "aws_route53_record":
		return fmt.Sprintf("%v_%v_%v", seed["zone_id"], seed["name"], seed["type"])
	case idIsName[typ]:
		if n := nameOf(typ, seed); n != "" {
			return n
		}
	}
	if n := nameOf(typ, seed); n != "" && strings.HasPrefix(typ, "aws_s3_bucket_") {
		return n
	}
	return h[:20]
}

// made is one computed value. typ is the resource type (with the path of the nested block after a dot).
func (s *server) made(typ, name string, a *Attribute, t tftypes.Type, seed map[string]any) tftypes.Value {
	base, nested, _ := strings.Cut(typ, ".")
	key := s.identity(typ, seed)
	switch {
	case t.Is(tftypes.Bool):
		return tftypes.NewValue(t, name == "enabled" || strings.HasSuffix(name, "_enabled") && a != nil && !a.Optional)
	case t.Is(tftypes.Number):
		n := 1
		if name == "port" || strings.HasSuffix(name, "_port") {
			n = 6379
			if !strings.Contains(typ, "memorydb") && !strings.Contains(typ, "elasticache") {
				n = 443
			}
		}
		return tftypes.NewValue(t, n)
	case t.Is(tftypes.String):
		return tftypes.NewValue(t, s.text(base, nested, name, key, seed))
	case t.Is(tftypes.Object{}):
		out := object{}
		inner := map[string]any{}
		for k, v := range seed {
			inner[k] = v
		}
		for _, k := range sortedKeys(t.(tftypes.Object).AttributeTypes) {
			out[k] = s.made(typ+"."+name, k, nil, t.(tftypes.Object).AttributeTypes[k], inner)
		}
		return tftypes.NewValue(t, out)
	case t.Is(tftypes.Map{}):
		return tftypes.NewValue(t, map[string]tftypes.Value{})
	case t.Is(tftypes.List{}), t.Is(tftypes.Set{}):
		if a != nil && a.Optional { // not asked for: the provider reports it empty
			return tftypes.NewValue(t, []tftypes.Value{})
		}
		return tftypes.NewValue(t, []tftypes.Value{s.made(typ, strings.TrimSuffix(name, "s"), nil, elementType(t), seed)})
	}
	return tftypes.NewValue(t, nil)
}

// identity is the hash that the values of one object have in common.
func (s *server) identity(typ string, seed map[string]any) string {
	if seed == nil {
		return s.maker.unique(typ)
	}
	if h, ok := seed["\x00identity"].(string); ok {
		return h
	}
	h := s.maker.unique(typ, seed)
	seed["\x00identity"] = h
	return h
}

func (s *server) text(typ, nested, name, h string, seed map[string]any) string {
	region := s.regionOf(seed)
	own := nameOf(typ, seed)
	if own == "" || strings.HasPrefix(own, "arn:") {
		own = h[:12]
	}
	if nested == "" {
		switch name {
		case "id":
			if idIsARN[typ] {
				return s.arn(typ, h, seed)
			}
			return s.id(typ, h, seed)
		case "arn":
			return s.arn(typ, h, seed)
		case "name", "bucket", "identifier":
			if p, ok := seed[name+"_prefix"].(string); ok {
				return p + h[:12]
			}
			return "made-" + h[:12]
		case "arn_suffix":
			full := s.arn(typ, h, seed)
			if arn, ok := seed["arn"].(string); ok {
				full = arn
			}
			_, rest, _ := strings.Cut(strings.Replace(full, "loadbalancer/", "\x00", 1), "\x00")
			if rest == "" {
				rest = full[strings.LastIndex(full, ":")+1:]
			}
			return rest
		}
	}
	switch name {
	case "region", "bucket_region":
		return region
	case "account_id", "owner_id", "registry_id", "aws_account_id", "owner":
		return s.account
	case "unique_id":
		return "AROA" + strings.ToUpper(h[:17])
	case "key_id":
		return uuid(h)
	case "zone_id", "hosted_zone_id":
		if typ == "aws_cloudfront_distribution" {
			return "Z2FDTNDATAQYW2"
		}
		if id, ok := seed["id"].(string); ok && typ == "aws_route53_zone" {
			return id
		}
		return "Z" + strings.ToUpper(h[:13])
	case "dns_name", "domain_name":
		switch typ {
		case "aws_lb":
			return fmt.Sprintf("%s-%s.elb.%s.amazonaws.com", own, h[:16], region)
		case "aws_cloudfront_distribution":
			return "d" + h[:13] + ".cloudfront.net"
		case "aws_globalaccelerator_accelerator":
			return "a" + h[:16] + ".awsglobalaccelerator.com"
		}
		return h[:12] + ".example.com"
	case "address":
		if typ == "aws_memorydb_cluster" {
			return fmt.Sprintf("clustercfg.%s.%s.memorydb.%s.amazonaws.com", own, h[:6], region)
		}
	case "endpoint":
		if typ == "aws_eks_cluster" {
			return fmt.Sprintf("https://%s.gr7.%s.eks.amazonaws.com", strings.ToUpper(h[:32]), region)
		}
		return fmt.Sprintf("https://%s.%s.amazonaws.com", h[:12], region)
	case "issuer":
		return fmt.Sprintf("https://oidc.eks.%s.amazonaws.com/id/%s", region, strings.ToUpper(h[:32]))
	case "data":
		return "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCg=="
	case "bucket_domain_name":
		return own + ".s3.amazonaws.com"
	case "bucket_regional_domain_name":
		return own + ".s3." + region + ".amazonaws.com"
	case "repository_url":
		return fmt.Sprintf("%s.dkr.ecr.%s.amazonaws.com/%s", s.account, region, own)
	case "default_version", "latest_version", "version_number":
		return "1"
	case "version":
		if typ == "aws_eks_cluster" {
			return "1.33"
		}
		return "1"
	case "json", "policy", "assume_role_policy":
		return `{"Version":"2012-10-17","Statement":[]}`
	case "public_ip", "address_ip":
		return fmt.Sprintf("203.0.113.%d", h[0])
	case "private_ip":
		return fmt.Sprintf("10.0.0.%d", h[0])
	case "availability_zone":
		return region + "a"
	case "cidr_block":
		return "10.0.0.0/16"
	case "resource_record_type":
		return "CNAME"
	case "resource_record_name":
		return "_" + h[:16] + ".example.com."
	case "resource_record_value":
		return "_" + h[16:32] + ".acm-validations.aws."
	case "qualified_arn":
		return s.arn(typ, h, seed) + ":1"
	case "invoke_arn":
		return fmt.Sprintf("arn:%s:apigateway:%s:lambda:path/2015-03-31/functions/%s/invocations", partitionOf(region), region, s.arn(typ, h, seed))
	case "status", "state":
		return "ACTIVE"
	case "create_time", "creation_date", "create_date", "created_at", "last_modified_date", "last_updated_date":
		return "2026-01-01T00:00:00Z"
	case "vpc_id":
		return "vpc-" + h[:17]
	case "subnet_id":
		return "subnet-" + h[:17]
	}
	for suffix, prefix := range map[string]string{"security_group_id": "sg-", "route_table_id": "rtb-", "network_acl_id": "acl-", "prefix_list_id": "pl-",
		"network_interface_id": "eni-", "association_id": "assoc-", "allocation_id": "eipalloc-", "dhcp_options_id": "dopt-", "image_id": "ami-"} {
		if strings.HasSuffix(name, suffix) {
			return prefix + h[:17]
		}
	}
	switch {
	case strings.HasSuffix(name, "arn"):
		return s.arn(typ+"_"+strings.TrimSuffix(strings.TrimSuffix(name, "arn"), "_"), h, map[string]any{"region": region})
	case strings.HasSuffix(name, "_cidr") || strings.HasSuffix(name, "cidr_block"):
		return "172.20.0.0/16"
	case strings.HasSuffix(name, "_name"):
		return own
	case strings.HasSuffix(name, "version"):
		return "1"
	}
	return strings.TrimPrefix(typ, "aws_") + "-" + name + "-" + h[:8]
}
