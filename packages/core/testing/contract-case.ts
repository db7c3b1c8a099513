/** A contract is data without a runner: the caller brings the runner and opens the subject. */
export interface ContractCase<Subject> {
  /** Starts with the rule id, as in `[ST3] …`. */
  readonly title: string;
  readonly run: (subject: Subject) => Promise<void>;
}
