/** The mark of a step of which nobody knows before the run whether it will be executed. */
export const CONDITIONAL = ' (conditional)';
