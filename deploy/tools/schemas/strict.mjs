// Validates Kubernetes objects against their authors' types: node strict.mjs MODULES < objects.json
//
// In: [{"where": "prod", "object": {…}}, …]. Out: one line per fault, "where kind/name: fault"; exit status 1 if any.
// Two judges for every object. TypeScript: an object literal may have no field that its type lacks, at any depth, and
// every value has its type. The packages' own validators: required fields, enumerations, formats.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const modules = resolve(process.argv[2]);
const PACKAGE_OF_GROUP = {
  "argoproj.io": "@kubernetes-models/argo-rollouts",
  "gateway.networking.k8s.io": "@kubernetes-models/gateway-api",
  "external-secrets.io": "@kubernetes-models/external-secrets",
  "karpenter.sh": "@kubernetes-models/karpenter",
  "karpenter.k8s.aws": "@kubernetes-models/karpenter",
  "keda.sh": "@kubernetes-models/keda",
  "monitoring.coreos.com": "@kubernetes-models/prometheus-operator",
};

// No package has these kinds: their fields as their projects document them, so that at least a misspelt one is refused.
const OWN = {
  "elbv2.k8s.aws/v1beta1/TargetGroupBinding": `{
    apiVersion: "elbv2.k8s.aws/v1beta1"; kind: "TargetGroupBinding"; metadata: IObjectMeta;
    spec: {
      targetGroupARN: string; targetType?: "instance" | "ip"; ipAddressType?: "ipv4" | "ipv6"; vpcID?: string;
      multiClusterTargetGroup?: boolean; serviceRef: { name: string; port: number | string };
      nodeSelector?: { matchLabels?: { [key: string]: string } };
      networking?: { ingress?: {
        from: ({ ipBlock: { cidr: string } } | { securityGroup: { groupID: string } })[];
        ports: { protocol?: "TCP" | "UDP"; port?: number | string }[] }[] };
    };
  }`,
  "kind.x-k8s.io/v1alpha4/Cluster": `{
    apiVersion: "kind.x-k8s.io/v1alpha4"; kind: "Cluster";
    nodes?: { role?: "control-plane" | "worker"; image?: string;
      extraMounts?: { hostPath: string; containerPath: string; readOnly?: boolean }[] }[];
  }`,
};

function modulePath({ apiVersion, kind }) {
  const group = apiVersion.includes("/") ? apiVersion.split("/")[0] : "";
  return `${PACKAGE_OF_GROUP[group] ?? "kubernetes-models"}/${apiVersion}/${kind}`;
}

function name({ where, object }) {
  return `${where} ${object.kind}/${object.metadata?.name ?? "-"}`;
}

function typescriptOf(entries) {
  const lines = [`import type { IIoK8sApimachineryPkgApisMetaV1ObjectMeta as IObjectMeta } from "@kubernetes-models/apimachinery/apis/meta/v1/ObjectMeta";`];
  entries.forEach(({ object }, i) => {
    const own = OWN[`${object.apiVersion}/${object.kind}`];
    lines.push(own ? `type T${i} = ${own.replace(/\s+/g, " ")};`
      : `import type { I${object.kind} as T${i} } from ${JSON.stringify(modulePath(object))};`);
  });
  entries.forEach(({ object }, i) => lines.push(`export const o${i}: T${i} = ${JSON.stringify(object)};`));
  return lines.join("\n") + "\n";
}

function typeFaults(entries, folder) {
  const file = join(folder, "objects.ts");
  writeFileSync(file, typescriptOf(entries));
  writeFileSync(join(folder, "package.json"), '{"type":"module"}');
  const options = ["--noEmit", "--strict", "--skipLibCheck", "--module", "nodenext", "--moduleResolution", "nodenext",
    "--target", "es2022", "--pretty", "false", "--types", "", file];
  const run = spawnSync(join(modules, ".bin", "tsc"), options, { cwd: folder, encoding: "utf8" });
  if (run.status === 0) return [];
  const lines = typescriptOf(entries).split("\n");
  const faults = [];
  for (const message of run.stdout.split(/\n(?=\S)/)) {
    const match = /^objects\.ts\((\d+),\d+\): error (TS\d+: [\s\S]*)$/.exec(message.trim());
    const index = match && /(?:^export const o|^(?:import|type).*\bT)(\d+)/.exec(lines[match[1] - 1]);
    if (message.trim()) faults.push(`${index ? name(entries[index[1]]) : "-"}: ${(match ? match[2] : message).replace(/\s+/g, " ")}`);
  }
  return faults.length ? faults : [`tsc: ${run.stderr || run.error}`];
}

async function validatorFaults(entries) {
  const faults = [];
  for (const entry of entries) {
    const { object } = entry;
    if (OWN[`${object.apiVersion}/${object.kind}`]) continue;
    try {
      const path = join(modules, modulePath(object)) + ".js";
      const { [object.kind]: Model } = await import(pathToFileURL(path));
      new Model(object).validate();
    } catch (error) {
      faults.push(`${name(entry)}: ${String(error.message).replace(/\s+/g, " ")}`);
    }
  }
  return faults;
}

const entries = JSON.parse(readFileSync(0, "utf8"));
const folder = mkdtempSync(join(tmpdir(), "tallyd-strict-"));
try {
  symlinkSync(modules, join(folder, "node_modules"));
  const faults = [...typeFaults(entries, folder), ...await validatorFaults(entries)];
  faults.forEach((fault) => console.log(fault));
  process.exitCode = faults.length ? 1 : 0;
} finally {
  rmSync(folder, { recursive: true });
}
