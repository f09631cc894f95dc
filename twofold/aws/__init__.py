"""The AWS home: DynamoDB, Secrets Manager, the Lambda door. The only importer of boto3 and Mangum."""
