// What travels between the kernel and the page, as the Python side writes it.

/** anywidget's model: the kernel's traits, and messages to and from it. */
export interface Model {
  // biome-ignore lint/suspicious/noExplicitAny: a trait is whatever the kernel's class declares
  get(name: string): any;
  send(content: object): void;
  // biome-ignore lint/suspicious/noExplicitAny: what a callback takes depends on the event
  on(event: string, callback: (...args: any[]) => void): void;
  // biome-ignore lint/suspicious/noExplicitAny: as `on`
  off(event: string, callback: (...args: any[]) => void): void;
}

export interface RenderContext {
  model: Model;
  el: HTMLElement;
  signal?: AbortSignal;
}

/** `money/forms.py:setup_of`: what a form is opened with; it never changes. */
export interface FormSetup {
  title: string;
  network: string;
  real: boolean;
  unit: string;
  wallet: string;
  balance: string;
  fields: Field[];
}

/** `money/fields.py:Field`. */
export interface Field {
  name: string;
  label: string;
  kind: "amount" | "number" | "text" | "choice";
  value: string;
  unit: string;
  placeholder: string;
  choices: { value: string; label: string; detail: string }[];
  names: string[];
  only: string[];
}

/** `password.py:Passwords.asks`: which key is locked, what it is to sign, what was wrong with the last password. */
export interface Asks {
  id: string;
  key: string;
  note: string;
  busy: boolean;
  spend: { what: string; real: boolean; network: string } | null;
}

export interface Vote {
  before: number;
  after: number;
}

export interface Fact {
  name: string;
  value: string;
  then?: string;
  bad?: boolean;
}

/** `money/preview.py:Preview.as_json`. */
export interface Preview {
  can: boolean;
  typed: Record<string, string>;
  money: string;
  button: string;
  done: string;
  facts: Fact[];
  vote: Vote | null;
}

/** `money/spend.py:OneSpend.state`. */
export interface FormState {
  step: "editing" | "previewed" | "sending" | "finalised" | "failed" | "unknown";
  stage: "signed" | "in a block" | null;
  token: number;
  note: string;
  forget: boolean;
  asks?: Asks | null;
  preview: Preview | null;
  receipt: { tx: string; block: number; took_s: number } | null;
}

/** A row of the metagraph, as its fields name it; `ago` and `paid` follow from the block and the epochs. */
export interface MetagraphRow {
  uid: number;
  hotkey: string;
  role: string;
  stake: number;
  vtrust: number;
  incentive: number;
  dividends: number;
  pay: number;
  wrote: number;
  since: number;
  unpaid: boolean;
}

/** `yuma_view/state.py`: one step of an epoch; `rows` is empty where a step has one number per uid. */
export interface YumaStage {
  name: string;
  sentence: string;
  unit: "share" | "α";
  rows: number[];
  columns: number[];
  now: number[][];
  was: number[][];
}

/** What each validator's stake became: shares of all stake, and pay in alpha. */
export interface YumaFlow {
  stake: number[];
  counted: number[][];
  cut: number[][];
  paid: number[];
  incentive: number[];
}

export interface YumaState {
  where: string;
  validators: number[];
  miners: number[];
  hidden: [number, number];
  stages: YumaStage[];
  flow: YumaFlow;
  moved: boolean;
  /** Of a subnet that is larger than the tables; else there is none. */
  heat: HeatState | null;
}

/** `yuma_view/heat.py:heat_of`: u16 of one, row by row, little-endian in base64. */
export interface HeatState {
  validators: number[];
  miners: number[];
  weights: string;
  clipped: string;
}

export interface MetagraphHeader {
  name: string;
  netuid: number;
  network: string;
  real: boolean;
  fields: string[];
}

/** A block and what each uid was paid at it, in alpha. */
export type Epoch = [number, number[]];

export interface MetagraphNews {
  k: "rows";
  seq: number;
  block: number;
  seats: number;
  rows: (string | number | boolean)[][];
  epochs: Epoch[];
  fresh: boolean;
}

/** `explorer_view/state.py:row_of`: number, hash, time, what was sent, how many, failed, events. */
export type BlockRow = [number, string, string, string, number, number, number];

/** `explorer_view/state.py:_extrinsic`. */
export interface ExtrinsicState {
  i: number;
  hash: string;
  call: string;
  by: string;
  fee: string;
  ok: boolean | null;
  said: string;
  fields: [string, string][];
  arguments: [string, string, string][];
  events: [string, string][];
}

/** `explorer_view/state.py:block_state`. */
export interface BlockState {
  number: number;
  hash: string;
  parent: string;
  time: string;
  complete: boolean;
  extrinsics: ExtrinsicState[];
  more: number;
  events: [string, string][];
}

/** `explorer_view/state.py:account_state`. */
export interface AccountState {
  address: string;
  evm: string;
  fields: [string, string][];
  since: number;
  /** Block, index, call, whether it signed, whether it succeeded, and the outcome in words. */
  extrinsics: [number, number, string, string, boolean | null, string][];
  more: number;
}

/** An answer names the page and the turn that asked. */
export type ExplorerMessage =
  | { k: "blocks"; seq: number; fresh: boolean; rows: BlockRow[] }
  | { k: "state"; state: string; reason: string }
  | { k: "beat" }
  | ({ page: string; turn: number } & (
      | { k: "block"; block: BlockState; index?: number | null }
      | { k: "account"; account: AccountState }
      | { k: "none"; sentence: string }
      | { k: "older" }
    ));

/** `attack_view/state.py:_round`: round, mark (taken, out, refused, missed, untried), numbers, and why. */
export type SeenRound = [number, "t" | "o" | "r" | "m" | "u", number | null, number | null, number | null, string];

/** `attack_view/state.py:_miner`. */
export interface AttackMiner {
  uid: number;
  bad: boolean;
  role: string;
  does: string;
  taken: number;
  judged: number;
  out: number | null;
  last: number | null;
  reason: string;
  paid: number;
  share: number | null;
  rounds: SeenRound[];
}

/** `attack_view/state.py:state_of`. */
export interface AttackState {
  run: string;
  ended: boolean;
  trains: boolean;
  gate: number | null;
  headline: string;
  round: number;
  first: number;
  miners: AttackMiner[];
  hidden: number;
  medians: Record<string, number>;
  /** Validators that attack: uid, noun, what it does, pay. */
  judges: [number, string, string, number][];
}

export interface Sample {
  round: number;
  prompt: string;
  text: string;
}

/** `dashboard/widget.py:header_of`. */
export interface RunHeader {
  name: string;
  run_id: string;
  network: string;
  real_money: boolean;
  netuid: number;
  rounds: number;
  inner_steps: number;
  miners: { uid: number | string; hotkey?: string }[];
  metrics: string[];
  waiting?: string;
  unit?: string;
  /** Whether the run trains a model; a run of answers has scores and no loss. */
  trains?: boolean;
}

/** The end of a baseline that takes more steps than the subnet. */
export interface Level {
  name: string;
  loss: number;
}

/** What the kernel says of a run beside its rounds. */
export interface RunState {
  state: string;
  block?: number;
  next_epoch?: number;
  tempo?: number;
  waiting?: string;
  reason?: string;
  wire_bytes?: number;
  dense_bytes?: number;
  headline?: string;
  samples: Sample[];
  reasons: Record<string, string>;
  measured?: { round?: number; values?: Record<string, number> };
  levels?: Level[];
}

/** A theme's colours by token, as CSS. */
export type Colours = Record<string, string>;

/** A miner of the leaderboard at one round. */
export interface Standing {
  i: number;
  uid: number | string;
  code: number;
  pays: number[];
  sent: number;
  paid: number;
  reason?: string;
  removed: number;
  /** The same as text, in the run’s own terms. */
  worth: string;
  rating: number;
  weight: number;
  incentive: number;
  consensus: number;
  bytes: number;
  loss: number;
  state: string;
}

/** A message of a run's live view: `rows` come with one binary buffer, `t` is when they were sent, seconds. */
export interface RunNews {
  k: "hello" | "beat" | "rows" | "status";
  seq: number;
  more?: number;
  /** Of how many miners the rows are; a page that has room for others waits for its header. */
  miners?: number;
  t?: number;
  status?: Partial<RunState>;
}

/** `wallet/widget.py:setup_of`; it never changes. */
export interface WalletSetup {
  network: string;
  real: boolean;
  genesis: string;
  unit: string;
  evm: EvmChain | Record<string, never>;
}

export interface EvmChain {
  id: number;
  first: string;
  url: string;
}

export interface PageAccount {
  address: string;
  name?: string;
  type: string;
  source: string;
  genesisHash?: string | null;
}

/** `money/table.py:MoneyTable`; a column is its key, its heading and its kind. */
export interface LedgerSetup {
  title: string;
  network: string;
  real: boolean;
  columns: string[][];
}

export interface LedgerRow {
  [key: string]: string | number | boolean | null | undefined;
  summary?: string;
  bad?: boolean;
}

export interface SpentRow {
  what: string;
  to: string;
  wallet: string;
  amount: string;
  fee: string;
  outcome: "pending" | "in a block" | "done" | "refused" | "unknown";
  block: number;
  tx: string;
}

/** `wallet/widget.py:BrowserWallet._show`. */
export interface WalletState {
  accounts: { address: string; name: string; source: string; type: string; shown: string }[];
  evm: { address: string; name: string; own: boolean };
  qr: Record<string, [number, string]>;
  sentence: string;
  note: string;
  asking: string;
  spent: SpentRow[];
}

/** What the notebook says of a spend; shown beside what the page reads itself. */
export interface Says {
  summary?: string;
  to?: string;
  fee_rao?: string;
  amount_rao?: string;
}

/** Polkadot-JS's `SignerPayloadJSON`, as far as the page looks at it. */
export interface SignerPayload {
  address: string;
  genesisHash: string;
  method: string;
  tip?: string;
}

export interface EvmFields {
  from?: string;
  to?: string;
  value?: string;
  data?: string;
  gas?: string;
  maxFeePerGas?: string;
}

/** `wallet/exchange.py:Question.asked`. */
export type Question = { id: string } & (
  | { method: "extrinsic.sign"; params: { payload: SignerPayload; source: string; address: string; says: Says } }
  | { method: "bytes.sign"; params: { data: string; source: string; address: string } }
  | {
      method: "evm.request";
      params: { rdns: string; address: string; chain: EvmChain; method: string; params: unknown[]; says: Says };
    }
);

export interface Line {
  name: string;
  value: string;
}

/** What `injectedWeb3[source].enable` resolves to. */
export interface Extension {
  accounts: { get(anyType?: boolean): Promise<Omit<PageAccount, "source">[]> };
  signer: {
    signPayload(payload: SignerPayload): Promise<{ signature: string }>;
    signRaw(raw: { address: string; data: string; type: "bytes" }): Promise<{ signature: string }>;
  };
}

/** EIP-6963. */
export interface EvmDetail {
  info: { uuid: string; name: string; rdns: string };
  provider: { request(asked: { method: string; params?: unknown[] }): Promise<unknown> };
}
