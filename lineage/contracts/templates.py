"""Commented templates for declared files: ``meshline init domain|product|contract|policy``."""

from __future__ import annotations

from pathlib import Path

from lineage.errors import UsageError

DOMAIN = """\
# A domain: who owns what. Apply with: meshline apply DIR
name: {name}                    # id, used in every answer
title: {name}
owner: team:{name}              # who answers for it
# parent: another-domain        # the domain it belongs to
members: []
escalation: []                  # whom to call, in order
patterns:                       # globs on the name of a dataset or job, or on NAMESPACE:NAME
  - "{name}.*"
  # - "dataset:postgres://db:5432:shop.*"
  # - "job:airflow:{name}_*"
"""
PRODUCT = """\
# A data product (Bitol ODPS). Its output ports name contracts; the datasets these bind belong to the product.
apiVersion: v1.0.0
kind: DataProduct
id: {name}
name: {name}
version: "1.0.0"                # in quotes: 1.10 without them would be 1.1
status: draft                   # proposed, draft, active, deprecated, retired
domain: {name}
outputPorts:
  - name: {name}
    version: "1.0.0"            # version of the port; its major version is that of the contract
    contractId: {name}          # id of a contract
# inputPorts:                   # what it is made from; compared with what runs read
#   - name: orders
#     version: "1.0.0"
#     contractId: orders
team:
  name: team:{name}
"""
CONTRACT = """\
# A data contract (ODCS 3.1). A first one from what was observed: meshline contracts draft DATASET
apiVersion: v3.1.0
kind: DataContract
id: {name}
name: {name}
version: "1.0.0"                # in quotes; breaking changes raise the first number
status: draft                   # proposed, draft, active, deprecated, retired
domain: {name}
servers:                        # where the data is; together with the names below this finds the dataset
  - server: production
    type: postgres
    host: db.example.com
    port: 5432
    database: shop
    schema: public
schema:
  - name: {name}
    # physicalName: {name}_v1   # when the table has another name
    # customProperties:         # or say which dataset it is, as OpenLineage names it
    #   - {{property: openlineage.namespace, value: "postgres://db:5432"}}
    #   - {{property: openlineage.name, value: shop.public.{name}}}
    properties:
      - name: id
        logicalType: integer
        physicalType: bigint
        primaryKey: true
        primaryKeyPosition: 1
        required: true
      # - name: email
      #   logicalType: string
      #   classification: restricted
      #   tags: ["pii:email"]
    quality:
      - metric: rowCount
        mustBeGreaterThan: 0
slaProperties:
  - property: latency           # how old the newest data may be
    value: 24
    unit: h
  # - property: endOfSupport    # set it when status becomes deprecated
  #   value: "2027-01-01T00:00:00Z"
team:
  name: team:{name}
"""
POLICY = """\
# A policy: a rule that runs as SQL over documented views and returns who violates it.
id: {name}
version: "1.0.0"
title: Every dataset has an owner
severity: medium                # critical, high, medium, low
owner: team:governance
domain: "*"                     # everywhere; a domain may add policies but not weaken these
stage: publication              # ingest, processing, publication, scheduled
scope_sql: |                    # subject: the assets that the policy speaks of
  SELECT id AS subject FROM asset WHERE kind = 'dataset'
violation_sql: |                # subject, message; perhaps path and evidence
  SELECT id AS subject, 'has no owner' AS message FROM asset WHERE kind = 'dataset' AND owner IS NULL
ttl_hours: 24                   # older results are stale
remediation_days: 30
escalation: [owner, domain owner, central]
tests:                          # rows in, violations out; run them with: meshline policies test FILE
  - name: without an owner
    rows:
      asset: [{{id: a, kind: dataset}}]
    violations: [a]
  - name: with an owner
    rows:
      asset: [{{id: a, kind: dataset, owner: team:x}}]
    violations: []
"""
TEMPLATES = {"domain": DOMAIN, "product": PRODUCT, "contract": CONTRACT, "policy": POLICY}
FOLDERS = {"domain": "domains", "product": "products", "contract": "contracts", "policy": "policies"}


def write_template(kind: str, name: str, directory: Path) -> Path:
    """Write a template below a folder; a file that is there is never replaced.

    Raises
    ------
    UsageError
        for an unknown kind, a name that cannot be one, or a file that exists.
    """
    if kind not in TEMPLATES:
        raise UsageError(f"“{kind}” is none of {', '.join(TEMPLATES)}.")
    if not name.replace("-", "").replace("_", "").isalnum() or not name.isascii():
        raise UsageError(f"“{name}” cannot be a name; use letters, digits, “_” and “-”.")
    path = directory / FOLDERS[kind] / f"{name}.yaml"
    if path.exists():
        raise UsageError(f"{path} is there already; it is left as it is.")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(TEMPLATES[kind].format(name=name), encoding="utf-8")
    return path
