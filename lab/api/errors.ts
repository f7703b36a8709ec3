/**
 * Errors as pveproxy answers them: the text goes into the reason phrase and, since PVE 8.4, into `message`.
 *
 * @module
 */

/** An HTTP status with PVE's own words; `errors` holds the parameter that each refers to. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  readonly errors: Readonly<Record<string, string>> | undefined;
  /** 401s from before the handler have an empty body and no content type. */
  readonly bodiless: boolean;

  constructor(
    status: number,
    message: string,
    options: { errors?: Readonly<Record<string, string>>; bodiless?: boolean } = {},
  ) {
    super(message);
    this.status = status;
    this.errors = options.errors;
    this.bodiless = options.bodiless ?? false;
  }
}

/** 400 `Parameter verification failed.` with the reason for each parameter. */
export function badParameters(errors: Readonly<Record<string, string>>): ApiError {
  return new ApiError(400, 'Parameter verification failed.', { errors });
}
