/** The owner who asks, in questions for jobs of owners; no name of an owner begins so. */
export const MYSELF = '@me';
