-- Meshline store, version 5: data products and contracts.

-- one version of one contract file; name is the contract's id and its major version, so that two majors live side by side
CREATE TABLE contract (
  name VARCHAR, id VARCHAR, version VARCHAR, status VARCHAR, title VARCHAR, domain VARCHAR, product VARCHAR,
  standard VARCHAR,         -- apiVersion
  document VARCHAR,         -- canonical JSON of the whole file
  path VARCHAR, hash VARCHAR, body VARCHAR, actor VARCHAR,
  valid_from TIMESTAMP, valid_to TIMESTAMP, known_from TIMESTAMP, known_to TIMESTAMP
);

-- one version of one product file
CREATE TABLE product (
  name VARCHAR,             -- the product's id
  version VARCHAR, status VARCHAR, title VARCHAR, domain VARCHAR, owner VARCHAR,
  standard VARCHAR, document VARCHAR,
  path VARCHAR, hash VARCHAR, body VARCHAR, actor VARCHAR,
  valid_from TIMESTAMP, valid_to TIMESTAMP, known_from TIMESTAMP, known_to TIMESTAMP
);
