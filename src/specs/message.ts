/** @file A turn of a conversation, in the names of OpenAI and of chat templates. */

/** Who says what. */
export interface Message {
  role: "system" | "user" | "assistant";
  content: string;
}
