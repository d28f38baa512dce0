/** Limits of everything that crosses the wire, in one place. A request beyond one is refused with the limit's value. */

/** The API's version: it only grows; a server accepts clients and workers of this version and of the one before. */
export const API_VERSION = 2;
/** Tasks in one array unless the server is configured otherwise. */
export const MAX_ARRAY_SIZE = 1_000_000;
/** One JSON request body, bytes. */
export const MAX_BODY_BYTES = 32 * 1024 * 1024;
/** One script or environment snapshot, bytes. */
/** What one task may keep of its work for another attempt. */
export const MAX_CHECKPOINT_BYTES = 64 * 1024 * 1024;
export const MAX_BLOB_BYTES = 16 * 1024 * 1024;
/** One index expression, characters (a million separate indices fit). */
export const MAX_ARRAY_TEXT = 8 * 1024 * 1024;
/** All arguments of one command together, bytes: well under what exec accepts. */
export const MAX_ARGV_BYTES = 1024 * 1024;
/** Variables given by --env. */
export const MAX_ENV_ENTRIES = 10_000;
/** Rows in one page of a list. */
export const MAX_PAGE = 10_000;
/** Retries a task may ask for. */
export const MAX_RETRIES = 1_000;
/** Longest duration accepted anywhere: ten years. */
export const MAX_DURATION_MS = 10 * 366 * 86_400_000;
/** Kept output of one attempt, bytes, unless the job says otherwise. */
export const DEFAULT_LOG_CAP_BYTES = 16 * 1024 * 1024;
/** From TERM to KILL unless the job says otherwise. */
export const DEFAULT_GRACE_MS = 5_000;
/** No retry delay grows beyond this unless the job says otherwise. */
export const DEFAULT_RETRY_MAX_DELAY_MS = 3_600_000;
/** Tasks that may be asked to run first. */
export const MAX_CANARY = 10_000;
/** Named resources of one task or worker. */
export const MAX_NAMED_RESOURCES = 64;
/** One staged directory, packed, bytes. */
export const MAX_STAGE_BYTES = 2 * 1024 ** 3;
/** One piece of a shipped log, bytes. */
export const MAX_LOG_PIECE_BYTES = 8 * 1024 * 1024;
/** Regular expression of a search, characters. */
export const MAX_PATTERN = 1_000;
/** Cells of a watched grid. */
export const MAX_CELLS = 16_384;
/** Jobs of one workflow. */
export const MAX_WORKFLOW_JOBS = 10_000;
/** Jobs that a graph shows. */
export const MAX_GRAPH_JOBS = 10_000;
