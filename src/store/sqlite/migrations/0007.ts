/** What has ended a moment ago is shown beside what is live. */
export const migration0007 = `
CREATE INDEX ended_jobs ON job_states (ended_at) WHERE ended_at > 0;
`;
