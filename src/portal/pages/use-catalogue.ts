import { readCatalogue } from '../api/orders.ts';
import type { Catalogue } from '../api/types.ts';
import { useLoad } from '../app/use-load.ts';

/** The price list, for the names of models and shipping methods; undefined while, or where, it cannot be read. */
export function useCatalogue(): Catalogue | undefined {
  return useLoad('catalogue', readCatalogue).data;
}
