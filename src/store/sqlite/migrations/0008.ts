/**
 * Nothing of the tables. From here on the packed columns may say what older programs would read wrongly: grants name the nodes of a gang, ends say how
 * long an attempt stood still and that it never ran, job rows which attempts are suspended. By the number those programs refuse the store.
 */
export const migration0008 = '';
