-- Where the server is reached, written at its start: a command beside it has settings of its own and
-- could only guess.
ALTER TABLE instance ADD COLUMN public_url text;
