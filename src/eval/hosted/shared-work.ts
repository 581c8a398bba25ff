/** @file Equal work under way is done once, and its result shared. */

export class SharedWork<T> {
  private readonly underWay = new Map<string, Promise<T>>();

  /** The work with this key that somebody has begun and not ended. */
  get(key: string): Promise<T> | undefined {
    return this.underWay.get(key);
  }

  /** Begins the work with this key, of which none may be under way. */
  begin(key: string, work: () => Promise<T>): Promise<T> {
    const result = work().finally(() => this.underWay.delete(key));
    this.underWay.set(key, result);
    return result;
  }
}
