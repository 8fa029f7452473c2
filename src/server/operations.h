#pragma once

#include <string>

#include "server/service.h"
#include "wire/messages.h"

// The operations, one file each: x.cc holds X. Each takes a decoded request, acts, and encodes the
// answer; PutVectors decodes by itself, since that is where the time goes.
namespace vecload::server {

Answer CreateVectorBucket(const Service& service, const wire::CreateVectorBucketRequest& request);
Answer GetVectorBucket(const Service& service, const wire::GetVectorBucketRequest& request);
Answer ListVectorBuckets(const Service& service, const wire::ListVectorBucketsRequest& request);
Answer DeleteVectorBucket(const Service& service, const wire::DeleteVectorBucketRequest& request);
Answer PutVectorBucketPolicy(const Service& service,
                             const wire::PutVectorBucketPolicyRequest& request);
Answer GetVectorBucketPolicy(const Service& service,
                             const wire::GetVectorBucketPolicyRequest& request);
Answer DeleteVectorBucketPolicy(const Service& service,
                                const wire::DeleteVectorBucketPolicyRequest& request);
Answer PutVectorBucketDefaultIndexMode(const Service& service,
                                       const wire::PutVectorBucketDefaultIndexModeRequest& request);

Answer CreateIndex(const Service& service, const wire::CreateIndexRequest& request);
Answer GetIndex(const Service& service, const wire::GetIndexRequest& request);
Answer ListIndexes(const Service& service, const wire::ListIndexesRequest& request);
Answer DeleteIndex(const Service& service, const wire::DeleteIndexRequest& request);
Answer UpdateIndexMode(const Service& service, const wire::UpdateIndexModeRequest& request);
Answer UpdateMetadataConfiguration(const Service& service,
                                   const wire::UpdateMetadataConfigurationRequest& request);

// `*data_bytes` is set to the size of the float32 that was put.
Answer PutVectors(const Service& service, std::string* body, size_t* data_bytes);
Answer GetVectors(const Service& service, const wire::GetVectorsRequest& request);
Answer ListVectors(const Service& service, const wire::ListVectorsRequest& request);
Answer DeleteVectors(const Service& service, const wire::DeleteVectorsRequest& request);
Answer QueryVectors(const Service& service, const wire::QueryVectorsRequest& request);

Answer TagResource(const Service& service, const wire::TagResourceRequest& request);
Answer UntagResource(const Service& service, const wire::UntagResourceRequest& request);
Answer ListTagsForResource(const Service& service, const wire::ListTagsForResourceRequest& request);

}  // namespace vecload::server
