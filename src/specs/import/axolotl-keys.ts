/**
 * @file The keys of Axolotl's configurations (its schemas and configuration reference, from 2023 to versions of 2026; without those that plug-ins
 * add, but for the plug-ins that it ships) and what becomes of each.
 */

import { type KeyGroup, keyTable } from "./known-keys.ts";

const GROUPS: readonly KeyGroup[] = [
  { fate: "carried", why: "models", keys: "base_model revision_of_model model_revision" },
  { fate: "carried", why: "train.init", keys: "reinit_weights" },
  { fate: "carried", why: "tasks, mixers and the one mixture of the design", keys: "datasets pretraining_dataset" },
  { fate: "carried", why: "evaluated tasks of their own", keys: "test_datasets" },
  {
    fate: "carried",
    why: "train.method and the adapter",
    keys: "adapter lora_r lora_alpha lora_dropout lora_target_modules lora_target_linear peft_use_rslora peft_use_dora load_in_4bit load_in_8bit",
  },
  { fate: "carried", why: "train.loss_on", keys: "train_on_inputs" },
  {
    fate: "carried",
    why: "train.cutoff_len, train.packing, tasks.NAME.on_bad_row",
    keys: "sequence_len excess_length_strategy sample_packing pretraining_sample_concatenation",
  },
  {
    fate: "carried",
    why: "train.packing",
    keys: "flash_attention sdp_attention flex_attention xformers_attention sage_attention eager_attention attn_implementation",
  },
  {
    fate: "carried",
    why: "train.batch_tokens or train.train_batch_size",
    keys: "micro_batch_size gradient_accumulation_steps batch_size",
  },
  {
    fate: "carried",
    why: "train",
    keys: "learning_rate num_epochs max_steps weight_decay adam_beta1 adam_beta2 adam_epsilon max_grad_norm",
  },
  {
    fate: "carried",
    why: "train.lr_scheduler_type, train.warmup_steps, train.decay_steps",
    keys: "lr_scheduler lr_scheduler_kwargs warmup_steps warmup_ratio",
  },
  { fate: "carried", why: "AdamW, mixtune's only optimiser", keys: "optimizer" },
  {
    fate: "carried",
    why: "train.eval_steps, train.save_steps, train.evaluate, train.early_stopping_patience",
    keys: "eval_strategy evaluation_strategy eval_steps save_strategy save_steps load_best_model_at_end metric_for_best_model greater_is_better early_stopping_patience",
  },
  { fate: "carried", why: "seeds", keys: "seed" },
  { fate: "carried", why: "fp32", keys: "bf16 fp16 fp8 bfloat16 float16 float32 tf32 bf16_full_eval" },
  { fate: "carried", why: "the model's own template", keys: "chat_template chat_template_jinja" },
  { fate: "carried", why: "dev and test are carved by mixtune", keys: "val_set_size" },
  { fate: "carried", why: "preferences and rewards are refused", keys: "rl reward_model process_reward_model" },
  {
    fate: "cannot",
    why: "counted per epoch there; mixtune counts in steps: train.eval_steps, train.save_steps",
    keys: "evals_per_epoch saves_per_epoch save_first_step",
  },
  {
    fate: "cannot",
    why: "quantised weights; mixtune trains on the weights as they are",
    keys: "gptq gptq_bits gptq_groupsize gptq_model_v1 bnb_config_kwargs qat quantization model_quantization_config model_quantization_config_kwargs quantize_moe_experts peft nvfp4",
  },
  {
    fate: "cannot",
    why: "another form of adapter or optimiser; mixtune trains LoRA and DoRA by AdamW",
    keys: "peft_layers_to_transform peft_layers_pattern peft_layer_replication peft_init_lora_weights peft_trainable_token_indices peft_ensure_weight_tying peft_autocast_adapter_dtype lora_fan_in_fan_out lora_target_parameters loraplus_lr_ratio loraplus_lr_embedding relora relora_steps relora_warmup_steps relora_anneal_steps relora_prune_ratio relora_prune_method relora_cpu_offload jagged_restart_steps jagged_restart_warmup_steps jagged_restart_anneal_steps lisa_n_layers lisa_step_interval lisa_layers_attribute optim_args optim_target_modules adam_beta3 adam_epsilon2 dion_lr dion_momentum dion_rank_fraction dion_rank_multiple_of torchdistx_path llama4_linearized_experts",
    neutral: [false, 0, "", null, true],
  },
  {
    fate: "cannot",
    why: "would train further modules whole, or only some; mixtune trains the adapter alone, or all weights",
    keys: "lora_modules_to_save unfrozen_parameters",
  },
  {
    fate: "cannot",
    why: "would begin at an adapter that is already trained; merge it into the model first and name that folder",
    keys: "lora_model_dir",
  },
  {
    fate: "cannot",
    why: "would change the loss; mixtune trains on the cross-entropy of each token",
    keys: "neftune_noise_alpha noisy_embedding_alpha use_eaft eaft_alpha eaft_k label_smoothing_factor",
  },
  {
    fate: "cannot",
    why: "would change learning rates or schedule in ways that mixtune does not have",
    keys: "embedding_lr embedding_lr_scale lr_groups lr_div_factor lr_quadratic_warmup cosine_min_lr_ratio cosine_constant_lr_ratio",
  },
  {
    fate: "cannot",
    why: "of training by preferences or rewards, which mixtune does not do",
    keys: "trl vllm ebft dpo_beta dpo_use_weighting dpo_use_logits_to_keep dpo_label_smoothing dpo_loss_type dpo_loss_weights dpo_norm_loss dpo_padding_free dpo_use_liger_kernel dpo_generate_during_eval precompute_ref_log_probs orpo_alpha rpo_alpha simpo_gamma cpo_alpha kto_desirable_weight kto_undesirable_weight rl_beta num_labels center_rewards_coefficient max_prompt_len",
  },
  {
    fate: "cannot",
    why: "would change the model or its positions; mixtune takes the model as its config.json has it",
    keys: "overrides_of_model_config model_config overrides_of_model_kwargs model_kwargs rope_scaling use_pose pose_split_on_token_ids pose_max_context_len pose_num_chunks s2_attention base_model_config cls_model_config scaling_softmax scaling_softmax_factor scaling_softmax_bias",
  },
  {
    fate: "cannot",
    why: "would change the tokenizer or the words around a conversation; mixtune takes both as the model has them",
    keys: "special_tokens tokens added_tokens_overrides tokenizer_config eot_tokens default_system_message chat_template_kwargs fix_untrained_tokens resize_token_embeddings_to_32x mean_resizing_embeddings shrink_embeddings tokenizer_use_mistral_common",
  },
  {
    fate: "cannot",
    why: "would change the order or the number of examples; mixtune draws them anew each epoch from the seed",
    keys: "curriculum_sampling group_by_length shuffle_before_merging_datasets sample_packing_sequentially dataloader_drop_last streaming streaming_multipack_buffer_size pretrain_multipack_buffer_size min_sample_len dataset_shard_num dataset_shard_idx dataset_exact_deduplication",
  },
  {
    fate: "cannot",
    why: "false keeps the datasets' order; mixtune shuffles",
    keys: "shuffle_merged_datasets",
    neutral: [true],
  },
  {
    fate: "cannot",
    why: "scores of its own; mixtune scores each task by its metric (tasks.NAME.metric)",
    keys: "do_causal_lm_eval eval_causal_lm_metrics do_bench_eval bench_dataset bench_split eval_table_size eval_max_new_tokens generate_samples num_generation_samples generation_max_new_tokens generation_temperature generation_top_p generation_top_k generation_prompt_ratio generation_do_sample",
  },
  {
    fate: "cannot",
    why: "would stop a run whose loss is high; mixtune stops at a loss that is no number",
    keys: "loss_watchdog_threshold loss_watchdog_patience",
  },
  {
    fate: "cannot",
    why: "images; mixtune reads text",
    keys: "processor_type image_size image_resize_algorithm freeze_mm_modules",
  },
  {
    fate: "cannot",
    why: "would run code that comes with the model; mixtune never does, and reads the architectures it knows",
    keys: "trust_remote_code trainer_cls",
  },
  {
    fate: "cannot",
    why: "what the plug-in does to the training is not known here; those for speed have no bearing",
    keys: "plugins",
  },
  {
    fate: "no_bearing",
    why: "mixtune reads the model's own config.json",
    keys: "model_type type_of_model tokenizer_type tokenizer_use_fast tokenizer_legacy tokenizer_save_jinja_files is_falcon_derived_model is_llama_derived_model is_mistral_derived_model is_qwen_derived_model",
  },
  {
    fate: "no_bearing",
    why: "logging",
    keys: "logging_steps use_tensorboard use_wandb wandb_name wandb_run_id wandb_mode wandb_project wandb_entity wandb_watch wandb_log_model use_mlflow mlflow_tracking_uri mlflow_experiment_name mlflow_run_name hf_mlflow_log_artifacts use_comet comet_api_key comet_workspace comet_project_name comet_experiment_key comet_mode comet_online comet_experiment_config use_trackio trackio_project_name trackio_run_name trackio_space_id use_otel_metrics otel_metrics_host otel_metrics_port profiler_steps profiler_steps_start include_tokens_per_second include_tkps debug strict",
  },
  {
    fate: "no_bearing",
    why: "where files go; a study has its own folder",
    keys: "output_dir dataset_prepared_path save_total_limit save_only_model save_safetensors resume_from_checkpoint auto_resume_from_checkpoints hub_model_id hub_strategy hub_revision push_dataset_to_hub push_to_hub_model_id hf_use_auth_token num_dataset_shards_to_save skip_prepare_dataset axolotl_config_path merge_lora merge_method dynamic_checkpoint",
  },
  {
    fate: "no_bearing",
    why: "speed and memory of the machine that trains",
    keys: "flash_attn_cross_entropy flash_attn_rms_norm flash_attn_fuse_qkv flash_attn_fuse_mlp flash_optimum flex_attn_compile_kwargs gemma4_hybrid_attn_impl experts_implementation unsloth_cross_entropy_loss unsloth_lora_mlp unsloth_lora_qkv unsloth_lora_o unsloth_rms_norm unsloth_rope lora_mlp_kernel lora_qkv_kernel lora_o_kernel lora_embedding_kernel chunked_cross_entropy chunked_cross_entropy_num_chunks tiled_mlp tiled_mlp_num_shards tiled_mlp_use_original_mlp liger_rope liger_rms_norm liger_glu_activation liger_layer_norm liger_cross_entropy liger_fused_linear_cross_entropy cut_cross_entropy use_kernels gradient_checkpointing gradient_checkpointing_kwargs activation_offloading layer_offloading deepspeed deepcompile fsdp fsdp_config fsdp_version fsdp_final_state_dict_type fp8_enable_fsdp_float8_all_gather dp_shard_size dp_replicate_size sequence_parallel_degree context_parallel_size heads_k_stride ring_attn_func tensor_parallel_size torch_compile torch_compile_backend torch_compile_mode gc_steps low_cpu_mem_usage max_memory gpu_memory_limit lora_on_cpu qlora_sharded_model_loading embeddings_skip_upcast experimental_skip_move_to_device auto_find_batch_size accelerator_config device device_map world_size local_rank ddp ddp_timeout ddp_bucket_cap_mb ddp_broadcast_buffers ddp_find_unused_parameters",
  },
  {
    fate: "no_bearing",
    why: "how rows are read, packed and handed over",
    keys: "dataset_processes dataset_num_proc dataset_keep_in_memory dataloader_pin_memory dataloader_num_workers dataloader_prefetch_factor remove_unused_columns sample_packing_group_size sample_packing_bin_size sample_packing_mp_start_method sample_packing_eff_est eval_sample_packing eval_batch_size eval_sequence_len pad_to_sequence_len pad_to_multiple_of multipack_real_batches batch_flattening pretrain_multipack_attn is_preprocess preprocess_iterable total_num_tokens total_supervised_tokens",
  },
  {
    fate: "no_bearing",
    why: "of running on a Ray cluster or a rented machine",
    keys: "use_ray ray_run_name ray_num_workers resources_per_worker cloud",
  },
  {
    fate: "no_bearing",
    why: "of its chat page",
    keys: "gradio_title gradio_share gradio_server_name gradio_server_port gradio_max_new_tokens gradio_temperature",
  },
  { fate: "cannot", why: "of versions that Axolotl itself no longer runs", keys: "max_packed_sequence_len" },
];

export const AXOLOTL_KEYS = keyTable(GROUPS);

/** Keys of an entry of `datasets`. */
export const AXOLOTL_DATASET_KEYS = keyTable([
  { fate: "carried", why: "the task's files, or the hub's dataset behind a catalogue task", keys: "path data_files" },
  {
    fate: "carried",
    why: "how rows are read",
    keys: "type ds_type field field_messages message_field_role message_field_content message_property_mappings text_column conversation roles",
  },
  {
    fate: "cannot",
    why: "which part of a dataset; the study names whole files",
    keys: "split name revision shards shards_idx skip",
    neutral: ["train", "default", "main", "", 0],
  },
  {
    fate: "cannot",
    why: "which parts of turns are trained on; mixtune trains on answers and the ends of their turns",
    keys: "roles_to_train train_on_eos train_on_eot message_field_training message_field_training_detail",
    neutral: ["turn"],
  },
  {
    fate: "cannot",
    why: "would change what stands in a prompt; mixtune writes it by the model's own template",
    keys: "chat_template chat_template_jinja drop_system_message field_tools field_thinking template_thinking_key split_thinking field_human field_model input_format input_transform logprobs_field temperature",
    neutral: [false, "tokenizer_default"],
  },
  { fate: "cannot", why: "would run code that comes with the data; mixtune never does", keys: "trust_remote_code" },
  { fate: "no_bearing", why: "how rows are read", keys: "preprocess_shards" },
]);

/** Keys of a `type` that is written out. */
export const AXOLOTL_TYPE_KEYS = keyTable([
  {
    fate: "carried",
    why: "tasks.NAME.prompt and tasks.NAME.answer",
    keys: "system_prompt field_system field_instruction field_input field_output format",
  },
  {
    fate: "cannot",
    why: "a second prompt for rows without an input, or a form of the system text; mixtune has one prompt",
    keys: "no_input_format system_format field",
  },
]);
