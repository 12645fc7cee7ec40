-- Meshline store, version 12: what scorecards said day by day, and what consumers say of products.

-- one figure of one scorecard as it was worked out on one day; never derived again, so that it tells what was reported
CREATE TABLE scorecard (
  day TIMESTAMP,            -- midnight of the day; the figures are those of its end, or of when it was taken
  sort VARCHAR,             -- 'mesh', 'domain', 'product', 'tier'
  scope VARCHAR,            -- which of them; '' for the mesh
  metric VARCHAR,
  numerator DOUBLE, denominator DOUBLE,
  value DOUBLE,             -- NULL = unknown
  reason VARCHAR,           -- why it is unknown
  taken_at TIMESTAMP
);

-- one thing that somebody said of a product: a rating, a problem, an answer to it, or that it is done
CREATE TABLE feedback_act (
  feedback VARCHAR,         -- id of the rating or problem that it belongs to
  act VARCHAR,              -- 'rate', 'report', 'answer', 'close'
  product VARCHAR,
  rating UINTEGER,          -- 1 to 5; ratings only
  said VARCHAR, actor VARCHAR, acted_at TIMESTAMP
);
