-- Logos of merchants. Name, colour and support address are columns of merchants.

-- What is stored is a file of our own making: an upload is decoded, scaled and written anew, and
-- only PNG is read, because an SVG is a document that can carry scripts.
CREATE TABLE merchant_logos (
    merchant_id  bigint PRIMARY KEY REFERENCES merchants,
    content_type text NOT NULL DEFAULT 'image/png' CHECK (content_type = 'image/png'),
    -- What pages show; its address is made of its hash.
    content      bytea NOT NULL CHECK (length(content) BETWEEN 1 AND 262144),
    width        int NOT NULL CHECK (width BETWEEN 1 AND 1024),
    height       int NOT NULL CHECK (height BETWEEN 1 AND 1024),
    sha256       bytea NOT NULL CHECK (sha256 = sha256(content)),
    -- The same with more pixels, for documents.
    print        bytea NOT NULL CHECK (length(print) BETWEEN 1 AND 262144),
    updated_at   timestamptz NOT NULL
);
