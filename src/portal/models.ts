/** A phone that can be a hot desk phone, as people order it. */
export interface Model {
  readonly maker: string;
  readonly name: string;
  readonly expansionModule: boolean;
  readonly lineKeys: number;
  readonly screen: 'monochrome' | 'colour' | 'touch';
  /** Where it says so. */
  readonly source: string;
}

const SHEETS = {
  'VVX 301': { lineKeys: 6, screen: 'monochrome' },
  'VVX 411': { lineKeys: 12, screen: 'colour' },
  'VVX 601': { lineKeys: 16, screen: 'touch' },
} as const;

function model(name: keyof typeof SHEETS, expansionModule: boolean): Model {
  return {
    maker: 'Polycom',
    name,
    expansionModule,
    ...SHEETS[name],
    source: 'BT Cloud Work help, “Hot Desking on the BT Cloud Work” (8967)',
  };
}

/** Rule A8. Key counts and screens are those of the makers' data sheets. */
export const MODELS: readonly Model[] = [
  model('VVX 301', false),
  model('VVX 411', false),
  model('VVX 411', true),
  model('VVX 601', false),
  model('VVX 601', true),
];
