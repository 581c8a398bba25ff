/**
 * @file The keys of LLaMA-Factory's training files (its model, data, fine-tuning, generating and training arguments of versions 0.7 to 0.9, and
 * Hugging Face's TrainingArguments of transformers 4.40 to 5) and what becomes of each.
 */

import { type KeyGroup, keyTable } from "./known-keys.ts";

const GROUPS: readonly KeyGroup[] = [
  { fate: "carried", why: "models", keys: "model_name_or_path model_revision" },
  { fate: "carried", why: "train.init", keys: "train_from_scratch" },
  {
    fate: "carried",
    why: "tasks, mixers and the one mixture of the design",
    keys: "stage dataset dataset_dir mix_strategy interleave_probs max_samples",
  },
  { fate: "carried", why: "an evaluated task of its own", keys: "eval_dataset" },
  {
    fate: "carried",
    why: "train.method and the adapter",
    keys: "finetuning_type lora_rank lora_alpha lora_dropout lora_target use_rslora use_dora quantization_bit",
  },
  { fate: "carried", why: "train.loss_on", keys: "train_on_prompt mask_history" },
  { fate: "carried", why: "train.cutoff_len, train.packing", keys: "cutoff_len packing neat_packing" },
  {
    fate: "carried",
    why: "train.batch_tokens or train.train_batch_size",
    keys: "per_device_train_batch_size per_gpu_train_batch_size gradient_accumulation_steps",
  },
  {
    fate: "carried",
    why: "train, under their own names",
    keys: "learning_rate num_train_epochs max_steps weight_decay adam_beta1 adam_beta2 adam_epsilon max_grad_norm",
  },
  {
    fate: "carried",
    why: "train.lr_scheduler_type, train.warmup_steps, train.decay_steps",
    keys: "lr_scheduler_type lr_scheduler_kwargs warmup_steps warmup_ratio",
  },
  { fate: "carried", why: "AdamW, mixtune's only optimiser", keys: "optim" },
  {
    fate: "carried",
    why: "train.eval_steps, train.save_steps, train.evaluate, train.early_stopping_patience",
    keys: "eval_strategy evaluation_strategy eval_steps save_strategy save_steps load_best_model_at_end metric_for_best_model greater_is_better early_stopping_steps",
  },
  { fate: "carried", why: "eval.max_new_tokens", keys: "max_new_tokens" },
  { fate: "carried", why: "seeds", keys: "seed" },
  { fate: "carried", why: "fp32", keys: "bf16 fp16 pure_bf16 fp8 tf32 bf16_full_eval fp16_full_eval" },
  { fate: "carried", why: "the model's own template", keys: "template" },
  { fate: "carried", why: "dev and test are carved by mixtune", keys: "val_size" },
  {
    fate: "cannot",
    why: "another way to 4 bits than train.load_in_4bit, which is bitsandbytes' NF4, its constants quantised too",
    keys: "quantization_method quantization_type double_quantization quantization_device_map",
    neutral: [false, "bitsandbytes", "bnb", "nf4", true],
  },
  {
    fate: "cannot",
    why: "would drop rows and columns of LoHa and LoKr at random; mixtune's adapters are LoRA and DoRA",
    keys: "module_dropout",
  },
  {
    fate: "cannot",
    why: "another form of adapter; mixtune trains LoRA and DoRA",
    keys: "pissa_init pissa_iter pissa_convert loraplus_lr_ratio loraplus_lr_embedding use_galore galore_target galore_rank galore_update_interval galore_scale galore_proj_type galore_layerwise use_apollo apollo_target apollo_rank apollo_update_interval apollo_scale apollo_proj apollo_proj_type apollo_scale_type apollo_layerwise apollo_scale_front use_badam badam_mode badam_start_block badam_switch_mode badam_switch_interval badam_update_ratio badam_mask_mode badam_verbose use_adam_mini use_muon use_llama_pro oft_rank oft_block_size oft_target shift_attn mixture_of_depths optim_target_modules",
  },
  {
    fate: "cannot",
    why: "would train further modules whole beside the adapter; mixtune trains the adapter alone",
    keys: "additional_target freeze_trainable_layers freeze_trainable_modules freeze_extra_modules name_module_trainable num_layer_trainable",
  },
  {
    fate: "cannot",
    why: "would begin at an adapter that is already trained; merge it into the model first and name that folder",
    keys: "adapter_name_or_path adapter_folder create_new_adapter",
  },
  {
    fate: "cannot",
    why: "would change the loss; mixtune trains on the cross-entropy of each token",
    keys: "label_smoothing_factor neftune_noise_alpha use_dft_loss use_eaft_loss eaft_alpha moe_aux_loss_coef",
  },
  {
    fate: "cannot",
    why: "of training by preferences or rewards, which mixtune does not do",
    keys: "pref_beta pref_ftx pref_bco_weight pref_loss dpo_beta dpo_loss dpo_ftx dpo_label_smoothing kto_beta kto_ftx kto_chosen_weight kto_rejected_weight orpo_beta simpo_gamma ppo_buffer_size ppo_epochs ppo_logger ppo_score_norm ppo_target ppo_whiten_rewards ref_model ref_model_adapters ref_model_quantization_bit reward_model reward_model_adapters reward_model_quantization_bit reward_model_type ld_alpha",
  },
  {
    fate: "cannot",
    why: "would change positions or the longest context of the model; mixtune takes the model as its config.json has it",
    keys: "rope_scaling",
  },
  {
    fate: "cannot",
    why: "would add tokens to the tokenizer; mixtune takes it as it is",
    keys: "add_tokens add_special_tokens new_special_tokens new_special_tokens_config init_special_tokens split_special_tokens",
  },
  {
    fate: "cannot",
    why: "would resize the embeddings to the tokenizer's tokens; no tokens are added here",
    keys: "resize_vocab",
  },
  {
    fate: "cannot",
    why: "would change the words around a conversation; mixtune writes it by the model's own template",
    keys: "default_system enable_thinking tool_format system_message system_prompt",
  },
  {
    fate: "cannot",
    why: "would change the order of examples; mixtune draws it anew each epoch from the seed",
    keys: "disable_shuffling group_by_length length_column_name data_seed sortish_sampler train_sampling_strategy streaming buffer_size dataloader_drop_last",
    neutral: [false, "random", "length"],
  },
  {
    fate: "cannot",
    why: "other samplings than greedy; mixtune writes answers greedily",
    keys: "do_sample temperature top_p top_k num_beams eval_num_beams generation_num_beams repetition_penalty length_penalty",
    neutral: [false, 1],
  },
  {
    fate: "cannot",
    why: "scores of its own on texts; mixtune scores each task by its metric (tasks.NAME.metric)",
    keys: "predict_with_generate compute_accuracy compute_exact_match do_predict eval_on_each_dataset include_for_metrics include_inputs_for_metrics label_names task task_dir n_shot lang save_dir download_mode",
  },
  {
    fate: "cannot",
    why: "images, sound and video; mixtune reads text",
    keys: "image_max_pixels image_min_pixels image_resolution image_do_pan_and_scan crop_to_patches video_max_pixels video_min_pixels video_resolution video_fps video_maxlen use_audio_in_video audio_sampling_rate media_dir visual_inputs",
  },
  { fate: "cannot", why: "a file of tokens made before; mixtune makes its own from the rows", keys: "tokenized_path" },
  {
    fate: "cannot",
    why: "would run code that comes with the model; mixtune never does, and reads the architectures it knows",
    keys: "trust_remote_code",
  },
  {
    fate: "cannot",
    why: "would train in the model's low precision throughout, or in other kinds of numbers",
    keys: "fp8_backend fp8_enable_fsdp_float8_all_gather upcast_layernorm upcast_lmhead_output compute_dtype",
  },
  {
    fate: "cannot",
    why: "of LLaMA-Factory's later or other engines",
    keys: "use_mca use_kt kt_optimize_rule cpu_infer chunk_size mode kt_maxlen kt_use_cuda_graph kt_mode kt_force_think ",
    neutral: [false, "normal"],
  },
  {
    fate: "no_bearing",
    why: "modules that text models do not have",
    keys: "freeze_vision_tower freeze_multi_modal_projector freeze_language_model train_mm_proj_only",
  },
  { fate: "no_bearing", why: "which command runs; mixtune run trains and scores", keys: "do_train do_eval" },
  {
    fate: "no_bearing",
    why: "logging",
    keys: "logging_steps logging_strategy logging_dir logging_first_step logging_nan_inf_filter log_level log_level_replica log_on_each_node report_to run_name project trackio_space_id trackio_bucket_id trackio_static_space_id plot_loss disable_tqdm include_num_input_tokens_seen include_tokens_per_second include_effective_tokens_per_second use_swanlab swanlab_project swanlab_workspace swanlab_run_name swanlab_mode swanlab_api_key swanlab_logdir swanlab_lark_webhook_url swanlab_lark_secret print_param_status skip_memory_metrics debug",
  },
  {
    fate: "no_bearing",
    why: "where files go; a study has its own folder",
    keys: "output_dir overwrite_output_dir overwrite_cache cache_dir offload_folder save_total_limit save_only_model save_safetensors save_on_each_node resume_from_checkpoint ignore_data_skip restore_callback_states_from_checkpoint enable_jit_checkpoint hub_model_id hub_strategy hub_token hub_private_repo hub_always_push hub_revision push_to_hub push_to_hub_model_id push_to_hub_organization push_to_hub_token hf_hub_token ms_hub_token om_hub_token data_shared_file_system",
  },
  {
    fate: "no_bearing",
    why: "speed and memory of the machine that trains",
    keys: "flash_attn use_unsloth use_unsloth_gc enable_liger_kernel use_liger_kernel liger_kernel_config disable_gradient_checkpointing gradient_checkpointing gradient_checkpointing_kwargs activation_checkpointing activation_checkpointing_kwargs use_reentrant_gc use_cache low_cpu_mem_usage use_kv_cache use_v1_kernels torch_compile torch_compile_backend torch_compile_mode torchdynamo torch_empty_cache_steps auto_find_batch_size deepspeed fsdp fsdp_config fsdp_min_num_params fsdp_transformer_layer_cls_to_wrap accelerator_config parallelism_config ddp_timeout ddp_backend ddp_bucket_cap_mb ddp_broadcast_buffers ddp_find_unused_parameters ddp_static_graph local_rank half_precision_backend fp16_opt_level fp16_backend optim_args average_tokens_across_devices full_determinism use_cpu no_cuda use_mps_device use_ipex jit_mode_eval tpu_num_cores tpu_metrics_debug mp_parameters xpu_backend past_index ray_scope dispatch_batches split_batches device_map model_max_length block_diag_attn",
  },
  {
    fate: "no_bearing",
    why: "how rows are read and handed over",
    keys: "preprocessing_batch_size preprocessing_num_workers dataloader_num_workers dataloader_pin_memory dataloader_persistent_workers dataloader_prefetch_factor dataloader_multiprocessing_context dataloader_in_order remove_unused_columns ignore_pad_token_for_loss use_fast_tokenizer",
  },
  {
    fate: "no_bearing",
    why: "how dev is scored while training",
    keys: "per_device_eval_batch_size per_gpu_eval_batch_size eval_accumulation_steps eval_delay eval_on_start eval_do_concat_batches eval_use_gather_object batch_eval_metrics prediction_loss_only use_legacy_prediction_loop max_length generation_max_length generation_config skip_special_tokens",
  },
  {
    fate: "no_bearing",
    why: "of chatting, serving and exporting",
    keys: "infer_backend infer_dtype vllm_maxlen vllm_gpu_util vllm_enforce_eager vllm_max_lora_rank vllm_config sglang_maxlen sglang_mem_fraction sglang_tp_size sglang_config sglang_lora_backend export_dir export_size export_device export_quantization_bit export_quantization_dataset export_quantization_nsamples export_quantization_maxlen export_legacy_format export_hub_model_id",
  },
  {
    fate: "no_bearing",
    why: "of running on a Ray cluster",
    keys: "ray_run_name ray_storage_path ray_storage_filesystem ray_num_workers resources_per_worker placement_strategy ray_init_kwargs master_addr master_port",
  },
];

/** Keys of a training file. */
export const LLAMA_FACTORY_KEYS = keyTable(GROUPS);

/** Keys of an entry of dataset_info.json. */
export const DATASET_INFO_KEYS = keyTable([
  {
    fate: "carried",
    why: "the task's files, or the hub's dataset behind a catalogue task",
    keys: "file_name hf_hub_url ms_hub_url om_hub_url script_url cloud_file_name",
  },
  { fate: "carried", why: "how rows are read", keys: "formatting columns tags" },
  { fate: "carried", why: "how much of it", keys: "num_samples" },
  {
    fate: "cannot",
    why: "which part of a dataset; the study names whole files",
    keys: "subset split folder revision",
    neutral: ["train", "default", "main", ""],
  },
  { fate: "carried", why: "preferences are refused", keys: "ranking" },
  { fate: "no_bearing", why: "a checksum of the file", keys: "file_sha1" },
]);
